"""The README cannot rot: its code runs, its lists are complete, its schema is the one that is served."""

from __future__ import annotations

import ast
import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

import milepost
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


@pytest.mark.parametrize("code", blocks("python"))
def test_python_blocks_run(code: str, collector: CollectorProcess, tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "MILEPOST_ENDPOINT": collector.url},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_quickstart_is_recorded_as_it_is_described(collector: CollectorProcess):
    subprocess.run(
        [sys.executable, "-c", blocks("python")[0]], env={**os.environ, "MILEPOST_ENDPOINT": collector.url}, check=True
    )
    [row] = collector.sql(
        "SELECT name, status, agent, task_count, input_tokens, output_tokens, cost_usd > 0 FROM runs LIMIT 1"
    )
    assert row == ["report", "completed", "report-agent", 2, 812, 96, True]


@pytest.mark.parametrize("query", blocks("sql"))
def test_sql_blocks_run(query: str, collector: CollectorProcess):
    collector.sql(query)


def test_commands_in_shell_blocks_exist():
    used = re.findall(r"^milepost (\w+)(.*?)(?:#.*)?$", "".join(blocks("sh")), re.MULTILINE)
    assert used
    for name, arguments in used:
        options = {option for parameter in command_line.commands[name].params for option in parameter.opts}
        assert set(re.findall(r"(?<!\S)--[\w-]+", arguments)) <= options


def test_every_command_and_option_is_described():
    text = section("Command line")
    for name, command in command_line.commands.items():
        assert f"`milepost {name}" in text
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


def test_schema_section_is_what_the_collector_serves():
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
