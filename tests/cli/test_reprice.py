"""`milepost reprice` on a real data folder: what it changes, what it says, and when it refuses."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

import milepost
from conftest import launch_collector

if TYPE_CHECKING:
    from tests.cli.conftest import Milepost

    from conftest import StartCollector

PRICES = """
[[prices]]
model = "our-*"
input = 2
output = 10
"""
MILLION = 1_000_000


@pytest.fixture(scope="module")
def recorded_calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder with calls whose models had prices, had none, or whose costs were reported."""
    collector = launch_collector(tmp_path_factory.mktemp("calls"))
    with milepost.Client(endpoint=collector.url, agent="tester") as client:
        run = client.start_run("report")
        for model, cost in [("our-7b", None), ("our-7b", None), ("gpt-4o-mini", None), ("our-7b", 0.5)]:
            task = run.start_task("ask", kind="llm")
            task.record_usage(model=model, input_tokens=MILLION, output_tokens=MILLION, cost_usd=cost)
            task.complete()
        run.complete()
        assert client.flush(10)
    collector.stop()
    return collector.data_dir


@pytest.fixture
def data(recorded_calls: Path, tmp_path: Path) -> Path:
    """Return a copy of the folder to change."""
    return Path(shutil.copytree(recorded_calls, tmp_path / "data"))


@pytest.fixture
def database(data: Path) -> Callable[[str], list[tuple[Any, ...]]]:
    """Return a function that asks the file."""

    def ask(query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(data / "milepost.duckdb"), read_only=True) as connection:
            return connection.execute(query).fetchall()

    return ask


COSTS = "SELECT model, cost_source, round(cost_usd, 6) FROM spans WHERE model IS NOT NULL ORDER BY ALL"
SUMS = "SELECT round(cost_usd, 6), unpriced_count FROM runs"


def test_dry_run_says_what_would_change_and_changes_nothing(data: Path, command: Milepost, database: Any) -> None:
    (data / "milepost.toml").write_text(PRICES)
    before = database(COSTS), database(SUMS)
    said = command("reprice", "--dry-run", "--data", str(data))
    assert said.returncode == 0, said.stderr
    assert "our-7b" in said.stdout
    assert "dry run, nothing was changed: 3 spans in 1 run would be" in said.stdout
    assert (database(COSTS), database(SUMS)) == before


def test_reprice_prices_what_had_no_price_and_keeps_sums_right(data: Path, command: Milepost, database: Any) -> None:
    ((before, unpriced),) = database(SUMS)
    (data / "milepost.toml").write_text(PRICES)
    said = command("reprice", "--data", str(data))
    assert "changed 3 spans in 1 run" in said.stdout
    priced = [row for row in database(COSTS) if row[0] == "our-7b"]
    assert priced == [("our-7b", "computed", 12.0), ("our-7b", "computed", 12.0), ("our-7b", "reported", 0.5)]
    assert unpriced == 2
    assert database(SUMS) == [(before + 24, 0)]


def test_reported_cost_gets_the_computed_one_beside_it(data: Path, command: Milepost, database: Any) -> None:
    (data / "milepost.toml").write_text(PRICES)
    command("reprice", "--data", str(data))
    (usage,) = database("SELECT usage->'$[0]' FROM spans WHERE cost_source = 'reported'")[0]
    assert '"cost_usd":0.5' in usage
    assert '"computed_cost_usd":12.0' in usage
    assert "milepost.toml our-*" in usage


def test_second_reprice_has_nothing_to_do(data: Path, command: Milepost) -> None:
    (data / "milepost.toml").write_text(PRICES)
    command("reprice", "--data", str(data))
    assert "every cost is as today's prices say" in command("reprice", "--data", str(data)).stdout


def test_model_and_times_narrow_what_is_priced(data: Path, command: Milepost, database: Any) -> None:
    before = database(COSTS)
    (data / "milepost.toml").write_text(PRICES)
    for narrowed in (("--model", "other-*"), ("--until", "2020-01-01"), ("--since", "now")):
        assert command("reprice", "--data", str(data), *narrowed).returncode == 0
    assert database(COSTS) == before
    assert "changed 3 spans" in command("reprice", "--data", str(data), "--model", "OUR-*", "--since", "now-1h").stdout


def test_models_without_a_price_are_listed(data: Path, command: Milepost) -> None:
    said = command("reprice", "--data", str(data))
    assert "still unpriced: our-7b (2); give them prices in milepost.toml" in said.stdout


def test_named_price_file_is_used(data: Path, command: Milepost, tmp_path: Path) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text(PRICES)
    assert "changed 3" in command("reprice", "--data", str(data), MILEPOST_PRICE_FILE=str(prices)).stdout


def test_wrong_price_file_is_told_with_path_and_line(data: Path, command: Milepost) -> None:
    (data / "milepost.toml").write_text('[[prices]]\nmodel = "m"\ninput = -1\noutput = 1\n')
    said = command("reprice", "--data", str(data))
    assert said.returncode == 2
    assert f"{data / 'milepost.toml'}: line 3: input is -1" in said.stderr


def test_missing_price_file_that_was_named_is_an_error(data: Path, command: Milepost) -> None:
    said = command("reprice", "--data", str(data), MILEPOST_PRICE_FILE="/nowhere/prices.toml")
    assert said.returncode == 2
    assert "/nowhere/prices.toml cannot be read" in said.stderr


def test_bad_time_is_a_wrong_usage(data: Path, command: Milepost) -> None:
    said = command("reprice", "--data", str(data), "--since", "yesterday")
    assert (said.returncode, "use an ISO 8601 time, now, or now-24h" in said.stderr) == (2, True)


@pytest.mark.parametrize("name", ["reprice", "normalise"])
def test_running_collector_is_named_as_the_obstacle(
    name: str, start_collector: StartCollector, command: Milepost
) -> None:
    collector = start_collector()
    said = command(name, "--data", str(collector.data_dir))
    assert said.returncode == 1
    assert "is in use; stop the collector that serves it" in said.stderr


@pytest.mark.parametrize("name", ["reprice", "normalise"])
def test_folder_without_a_database_is_an_error(name: str, tmp_path: Path, command: Milepost) -> None:
    said = command(name, "--data", str(tmp_path))
    assert said.returncode == 1
    assert "there is no database" in said.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "says"),
    [("reprice", "no stored call has a cost to compute"), ("normalise", "no stored span came through OpenTelemetry")],
)
def test_empty_database_has_nothing_to_do(
    name: str, says: str, start_collector: StartCollector, command: Milepost
) -> None:
    collector = start_collector()
    collector.stop()
    assert says in command(name, "--data", str(collector.data_dir)).stdout
