"""`milepost normalise` on a real data folder: rows as an older table made them become what they would be today."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import httpx
import pytest

from conftest import launch_collector

if TYPE_CHECKING:
    from tests.cli.conftest import Milepost

CORPUS = Path(__file__).parent.parent / "corpus"
SCENARIOS = ["anthropic_oi", "strands_latest", "mlflow_otlp", "traceloop_openai", "langfuse_sdk", "vercel_ai_json"]
TABLES = ["spans", "events", "span_messages", "uncounted", "run_links", "runs"]

# As a table would have made them that knew nothing of these conventions.
FORGET = """
UPDATE spans SET kind = 'span', name = coalesce(attributes->>'otel.name', name), model = NULL, request_model = NULL,
    provider = NULL, response_id = NULL, tool = NULL, usage = NULL, input_tokens = NULL, output_tokens = NULL,
    cache_read_tokens = NULL, cache_write_tokens = NULL, reasoning_tokens = NULL, cost_usd = NULL, cost_source = NULL;
DELETE FROM span_messages WHERE source = 'span';
DELETE FROM stored_messages;
DELETE FROM uncounted;
DELETE FROM run_sums;
UPDATE summed SET up_to = -1;
"""


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder with some of the corpus."""
    collector = launch_collector(tmp_path_factory.mktemp("corpus"))
    for path in _bodies(SCENARIOS):
        content_type = "application/json" if path.suffix == ".json" else "application/x-protobuf"
        answer = httpx.post(
            f"{collector.url}/v1/traces", content=path.read_bytes(), headers={"Content-Type": content_type}, timeout=30
        )
        assert answer.status_code == 200
    collector.stop()
    return collector.data_dir


@pytest.fixture
def data(received: Path, tmp_path: Path) -> Path:
    """Return a copy of the folder to change."""
    return Path(shutil.copytree(received, tmp_path / "data"))


def test_normalise_makes_old_rows_what_they_would_be_today(data: Path, command: Milepost) -> None:
    wanted = _tables(data)
    _execute(data, FORGET)
    assert _tables(data) != wanted
    said = command("normalise", "--data", str(data))
    assert said.returncode == 0, said.stderr
    assert "changed" in said.stdout
    assert _tables(data) == wanted


def test_normalise_leaves_rows_of_today_alone(data: Path, command: Milepost) -> None:
    before = _tables(data)
    said = command("normalise", "--data", str(data))
    assert "spans are as today's conventions say" in said.stdout
    assert _tables(data) == before


def test_dry_run_counts_columns_and_changes_nothing(data: Path, command: Milepost) -> None:
    _execute(data, FORGET)
    before = _tables(data)
    said = command("normalise", "--dry-run", "--data", str(data))
    assert "dry run, nothing was changed" in said.stdout
    assert [line.split()[0] for line in said.stdout.splitlines() if line.strip().startswith(("kind", "model"))] == [
        "kind",
        "model",
    ]
    assert _tables(data) == before


def test_span_with_missing_pieces_is_left_and_told(data: Path, command: Milepost) -> None:
    _execute(data, f"{FORGET} DELETE FROM pieces")
    said = command("normalise", "--data", str(data))
    assert (said.returncode, "parts of their attributes are missing" in said.stdout) == (0, True)


def test_times_narrow_what_is_read(data: Path, command: Milepost) -> None:
    _execute(data, FORGET)
    assert "no stored span" in command("normalise", "--data", str(data), "--until", "2020-01-01").stdout


def test_what_the_sdk_knew_of_a_span_is_kept(data: Path, command: Milepost) -> None:
    _execute(data, "UPDATE spans SET session_id = 'mine', tags = ['nightly'], producer_id = 'p-1', attempt = 2")
    command("normalise", "--data", str(data))
    kept = _execute(data, "SELECT DISTINCT session_id, tags, attempt FROM spans")
    assert kept == [("mine", ["nightly"], 2)]


def _bodies(scenarios: Iterable[str]) -> list[Path]:
    return [path for name in scenarios for path in sorted(CORPUS.glob(f"{name}.[0-9][0-9].*"))]


def _execute(data: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(data / "milepost.duckdb")) as connection:
        return connection.execute(sql).fetchall()


def _tables(data: Path) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(str(data / "milepost.duckdb"), read_only=True) as connection:
        return {table: connection.execute(f"FROM {table} ORDER BY ALL").fetchall() for table in TABLES}
