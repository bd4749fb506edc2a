"""The README cannot rot: its code runs, its lists are complete, its schema is the one that is served."""

from __future__ import annotations

import ast
import dataclasses
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

import milepost
from milepost.wire.schedules import ScheduleCreate
from milepost.wire.tasks import TASK_STATUSES, TaskSettings
from milepost_collector import CollectorConfig, create_app
from milepost_collector.cli.commands import milepost as command_line
from milepost_collector.config import variable_name
from milepost_collector.protocol.price_file import parse_prices

if TYPE_CHECKING:
    from conftest import CollectorProcess

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
VARIABLE = re.compile(r"\bMILEPOST_[A-Z][A-Z_]+[A-Z]\b")

TOPS = [ROOT / top for top in ("sdk/milepost", "collector/milepost_collector", "viewer/src", "tests", "examples")]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(page for top in TOPS for page in top.rglob("*.md"))]
MODULE = re.compile(r"# (\w+\.py)\n")  # the first line of a block that is a file of its own
SOURCES = {".py", ".ts", ".svelte", ".sql"}


def is_large(folder: Path) -> bool:
    return folder.is_dir() and sum(path.suffix in SOURCES for path in folder.iterdir()) > 5


LARGE_FOLDERS = [folder for top in TOPS for folder in (top, *top.rglob("*")) if is_large(folder)]


def within_root(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(language: str) -> list[str]:
    return [code for found, code in BLOCKS if found == language]


def section(title: str) -> str:
    """Return the text under a heading, up to the next heading of its level."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", README, re.DOTALL | re.MULTILINE)
    assert found, f"README has no section {title!r}"
    return found[1]


def programs() -> list[str]:
    return [code for code in blocks("python") if not MODULE.match(code)]


def leaf_commands(group: click.Group, *path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield every command that is no group, by what is typed after `milepost`."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaf_commands(command, *path, name)
        else:
            yield " ".join([*path, name]), command


COMMANDS = dict(leaf_commands(command_line))


def described_row(name: str, default: Any) -> str:
    """Return how a row of a table of settings begins."""
    shown = {None: "none", (): "none", True: "true"}.get(default, default)
    return f"| `{name}` | {shown if isinstance(shown, (int, float)) or shown in ('none', 'true') else f'`{shown}`'} |"


@pytest.fixture(scope="module")
def agent(collector: CollectorProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    """Serve the agent of the README, as it is told there: what its blocks hand over wants somebody to do it."""
    folder = tmp_path_factory.mktemp("agent")
    for code in blocks("python"):
        if named := MODULE.match(code):
            (folder / named[1]).write_text(code)
    [told] = re.findall(r"^milepost (agent run .*?) *(?:#.*)?$", "".join(blocks("sh")), re.MULTILINE)
    command = [sys.executable, "-W", "error", "-m", "milepost_collector.cli", *shlex.split(told)]
    with subprocess.Popen(
        [*command, "--endpoint", collector.url], cwd=folder, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert "takes tasks from" in process.stdout.readline()
        yield process
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 0


@pytest.fixture(scope="module")
def ran(
    collector: CollectorProcess, agent: subprocess.Popen[str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, subprocess.CompletedProcess[str]]:
    """Run every program of the README, in its order."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MILEPOST_", "OTEL_"))}
    return {
        code: subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            env={**clean, "MILEPOST_ENDPOINT": collector.url},
            cwd=tmp_path_factory.mktemp("program"),
            capture_output=True,
            text=True,
            timeout=50,
        )
        for code in programs()
    }


@pytest.mark.parametrize("code", programs())
def test_python_blocks_run(code: str, ran: dict[str, subprocess.CompletedProcess[str]]):
    assert (ran[code].returncode, ran[code].stderr) == (0, "")


@pytest.mark.usefixtures("ran")
def test_tasks_are_retried_done_and_scheduled_as_it_is_described(collector: CollectorProcess):
    attempts = collector.sql(
        "SELECT t.name, t.type, a.status, count(*) FROM attempts a JOIN managed_tasks t USING (task_id) "
        "WHERE t.name LIKE '% Data' GROUP BY ALL ORDER BY ALL"
    )
    assert attempts == [
        ["Extract Data", "manual", "completed", 1],
        ["Extract Data", "manual", "failed", 1],
        ["Extract Data", "scheduled", "completed", 1],
        ["Extract Data", "scheduled", "failed", 1],
        ["Transform Data", "manual", "completed", 1],
    ]


@pytest.mark.usefixtures("ran")
def test_quickstart_is_recorded_as_it_is_described(collector: CollectorProcess):
    rows = collector.sql(
        "SELECT name, status, agent, task_count, input_tokens, output_tokens, cost_usd > 0 FROM runs "
        "WHERE name = 'report'"
    )
    assert rows == [["report", "completed", "report-agent", 2, 812, 96, True]]


@pytest.mark.parametrize("query", blocks("sql"))
def test_sql_blocks_run(query: str, collector: CollectorProcess):
    collector.sql(query)


def test_commands_in_shell_blocks_exist():
    used = re.findall(r"^milepost (.*?)(?:#.*)?$", "".join(blocks("sh")), re.MULTILINE)
    assert used
    for line in used:
        words = line.split()
        name = next(name for name in (" ".join(words[:2]), words[0]) if name in COMMANDS)
        options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        assert set(re.findall(r"(?<!\S)--[\w-]+", line)) <= options


def test_every_command_and_option_is_described():
    text = section("Command line")
    for name, command in COMMANDS.items():
        assert re.search(rf"`milepost {name}[ `]", text), name
        options = [p.opts[0] for p in command.params if isinstance(p, click.Option)]
        assert [option for option in options if f"`{option}" not in text] == [], name


def test_every_public_name_of_the_sdk_is_described():
    text = section("The SDK")
    names = [name for name in milepost.__all__ if name != "__version__"]
    assert [name for name in names if not re.search(rf"\b{name}\b", text)] == []


def test_every_collector_setting_is_described():
    text = section("Configuration")
    for setting in dataclasses.fields(CollectorConfig):
        assert f"| `{setting.name}` | {variable_name(setting.name)} |" in text


def test_every_setting_of_tasks_is_described_with_its_default():
    text = section("Managed tasks")
    rows = [described_row(field, getattr(TaskSettings(), field)) for field in TaskSettings.__struct_fields__]
    assert [row for row in rows if row not in text] == []


def test_every_policy_of_schedules_is_described_with_its_default():
    text = section("Managed tasks")
    made = ScheduleCreate(name="nightly", cadence=None, task=None)  # type: ignore[arg-type]
    names = ("overlap", "catch_up", "catch_up_window_ms", "jitter_ms", "end")
    assert [row for row in (described_row(name, getattr(made, name)) for name in names) if row not in text] == []


def test_every_status_of_tasks_is_described():
    text = section("Managed tasks")
    assert [status for status in TASK_STATUSES if f"`{status}`" not in text] == []


def test_variables_in_the_readme_are_those_in_the_source():
    sources = [*(ROOT / "sdk").rglob("*.py"), *(ROOT / "collector").rglob("*.py"), *(ROOT / ".ci").iterdir()]
    sources += [ROOT / "tests" / "conftest.py", ROOT / "viewer" / "hatch_build.py"]
    read = {name for path in sources for name in VARIABLE.findall(path.read_text("utf-8"))}
    read |= {variable_name(setting.name) for setting in dataclasses.fields(CollectorConfig)}
    assert set(VARIABLE.findall(README)) == read


def test_every_route_is_described(tmp_path: Path):
    text = section("HTTP API")
    routes = create_app(CollectorConfig(data_dir=tmp_path)).routes
    paths = {getattr(route, "path", "").replace(":path}", "}") for route in routes}
    served = {path for path in paths if path.startswith(("/api", "/v1", "/healthz", "/readyz", "/metrics", "/openapi"))}
    assert "/api/runs" in served
    assert {path for path in served if f"{path}`" not in text} == set()


def test_generated_sections_are_what_the_collector_serves():
    check = [sys.executable, str(ROOT / ".ci" / "readme"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("text", blocks("toml"))
def test_price_files_are_read(text: str):
    assert parse_prices(text)


def test_headings_that_are_linked_exist():
    headings = re.findall(r"^##+ (.*)$", README, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    linked = set(re.findall(r"\]\(#([^)]*)\)", README))
    assert linked
    assert linked - anchors == set()


@pytest.mark.parametrize("page", PAGES, ids=within_root)
def test_links_within_the_repository_lead_somewhere(page: Path):
    text = page.read_text("utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in target]
    assert [target for target in targets if not page.parent.joinpath(target).exists()] == []


@pytest.mark.parametrize("folder", LARGE_FOLDERS, ids=within_root)
def test_larger_folders_say_what_is_where(folder: Path):
    if not (folder / "README.md").exists():
        docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8")))
        assert docstring
        assert docstring.count("\n") >= 2


def test_map_names_what_exists():
    described = blocks_without_language(section("Where things are"))
    parents: list[tuple[int, Path]] = []
    for line in described.splitlines():
        indent = len(line) - len(line.lstrip())
        parents = [(depth, path) for depth, path in parents if depth < indent]
        base = parents[-1][1] if parents else ROOT
        for name in re.split(r", ", re.split(r"\s{2,}", line.strip())[0]):
            assert (base / name).exists(), name
        parents.append((indent, base / re.split(r"\s{2,}", line.strip())[0]))


def blocks_without_language(text: str) -> str:
    found = re.search(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


def test_changelog_has_an_entry_for_the_version():
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(rf"^## \[(Unreleased|{re.escape(milepost.__version__)})\]", text, re.MULTILINE)
