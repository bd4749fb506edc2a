"""The wheel, built once and installed in clean environments: what is inside, light and with the collector."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def clean_environment() -> dict[str, str]:
    """Return the environment without anything that would let the checkout shine through."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MILEPOST_", "VIRTUAL"))
    }


def call(*command: str | Path, cwd: Path | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=clean_environment(), capture_output=True, text=True, timeout=280
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="session")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with the tools of the environment, so that only the viewer may need the network."""
    folder = tmp_path_factory.mktemp("wheel")
    call(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, root)
    [built] = folder.glob("milepost-*.whl")
    return built


def environment(folder: Path, requirement: str) -> Path:
    """Return the folder of commands of a new environment in which only `requirement` is installed."""
    call(sys.executable, "-m", "venv", folder)
    commands = folder / ("Scripts" if os.name == "nt" else "bin")
    call(commands / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement)
    return commands


@pytest.fixture(scope="session")
def light(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment(tmp_path_factory.mktemp("light"), str(wheel))


@pytest.fixture(scope="session")
def full(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment(tmp_path_factory.mktemp("full"), f"{wheel}[collector]")


def test_wheel_holds_both_packages_the_viewer_and_the_examples(wheel: Path):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "milepost/__init__.py",
        "milepost/py.typed",
        "milepost_collector/py.typed",
        "milepost_collector/storage/migrations/0001_create_tables.sql",
        "milepost_collector/static/index.html",
        "milepost_collector/examples/document_report.py",
        "milepost_collector/examples/data/ferry-memo.txt",
    } <= names
    assert [name for name in names if re.search(r"node_modules|__pycache__|^tests/|\.svelte$", name)] == []


def test_light_install_has_none_of_the_collector_s_dependencies(light: Path):
    names = ("click", "duckdb", "pyarrow", "rich", "starlette", "uvicorn")
    probe = f"import importlib.util as u; print([name for name in {names} if u.find_spec(name)])"
    assert call(light / "python", "-c", probe).stdout == "[]\n"


def test_light_install_records_without_the_collector_s_dependencies(light: Path):
    script = """
import milepost
with milepost.testing.capture() as captured:
    with milepost.start_run("r") as run:
        run.start_task("t").complete(output=1)
print(captured.span("t").output)
"""
    done = call(light / "python", "-W", "error", "-c", script)
    assert (done.stdout, done.stderr) == ("1\n", "")


@pytest.mark.parametrize("command", [["milepost", "serve"], ["python", "-m", "milepost_collector.cli", "--help"]])
def test_light_install_names_the_extra_the_command_needs(light: Path, command: list[str]):
    done = call(light / command[0], *command[1:], check=False)
    assert done.returncode == 1
    assert "pip install 'milepost[collector]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_full_install_serves_the_viewer(full: Path, tmp_path: Path):
    serve = [str(full / "milepost"), "serve", "--port", "0", "--data", str(tmp_path)]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True, env=clean_environment(), cwd=tmp_path) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split(" is ready at ")[1].split()[0]
        page = httpx.get(f"{url}/", headers={"accept": "text/html"})
        assert page.status_code == 200
        scripts = re.findall(r'<script[^>]* src="(?:\./|/)?(assets/[^"]+\.js)"', page.text)
        assert len(scripts) == 2  # one that asks for data and scripts at once, and the viewer itself
        for script in scripts:
            asset = httpx.get(f"{url}/{script}")
            assert asset.status_code == 200
            assert "javascript" in asset.headers["content-type"]
        process.terminate()
    assert process.returncode == 0


def test_full_install_runs_the_demo_without_a_checkout(full: Path, tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        endpoint = f"http://127.0.0.1:{probe.getsockname()[1]}"
    done = call(full / "milepost", "demo", "--once", "--endpoint", endpoint, "--data", tmp_path, cwd=tmp_path)
    # Without the demo extra the OpenTelemetry example is left out, and said to be.
    assert re.search(r"✓ (19|20|21) runs are recorded", done.stdout)  # by the nights that the schedule makes up for
    assert "milepost[demo]" in done.stdout
