"""The make targets on machines that lack something: they say what to do instead of failing obscurely."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = ("sh", "dirname", "cat", "cmp", "sort", "cut", "head", "grep")


class Machine:
    """A folder with the project's set-up files, and a PATH that holds only what a test puts there."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.project = folder / "project"
        self.commands = folder / "commands"
        self.commands.mkdir()
        self.project.mkdir()
        shutil.copytree(root / ".ci", self.project / ".ci")
        for name in ("Makefile", "pyproject.toml"):
            shutil.copy(root / name, self.project)
        for tool in TOOLS:
            (self.commands / tool).symlink_to(shutil.which(tool) or tool)

    def add(self, name: str, script: str) -> None:
        command = self.commands / name
        command.write_text(f"#!/bin/sh\n{script}\n")
        command.chmod(0o755)

    def run(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.project / ".ci" / script)],
            env={"PATH": str(self.commands), "HOME": str(self.project), **environment},
            capture_output=True,
            text=True,
            timeout=50,
        )


@pytest.fixture
def machine(root: Path, tmp_path: Path) -> Machine:
    return Machine(root, tmp_path)


def test_venv_without_python_says_what_is_needed(machine: Machine):
    done = machine.run("venv")
    assert done.returncode == 1
    assert "Python 3.11 or later is needed and none was found" in done.stderr


def test_venv_passes_an_interpreter_over_that_does_not_work(machine: Machine):
    machine.add("python3", "echo 'version manager: no python3 selected' >&2; exit 127")
    done = machine.run("venv")
    assert done.returncode == 1
    assert "none was found" in done.stderr


def test_venv_without_ensurepip_names_the_package_to_install(machine: Machine):
    machine.add("python3", f'case "$*" in *ensurepip*) exit 1;; esac\nexec {sys.executable} "$@"')
    machine.add("id", "echo 1000")
    done = machine.run("venv")
    assert done.returncode == 1
    assert re.search(r"ensurepip is missing; run: sudo apt-get install python3\.\d+-venv", done.stderr)


def test_chromium_that_is_missing_is_named_with_the_command_to_run(machine: Machine):
    machine.add("id", "echo 1000")
    done = machine.run("chromium")
    assert done.returncode == 1
    assert "run: sudo apt-get install chromium" in done.stderr


def test_chromium_is_installed_when_it_may(machine: Machine):
    machine.add("id", "echo 0")
    machine.add("apt-get", f'[ "$1" = update ] || ln -s "$(command -v cat)" {machine.commands}/chromium')
    (machine.commands / "ln").symlink_to(shutil.which("ln") or "ln")
    assert machine.run("chromium").returncode == 0


def test_continuous_integration_runs_the_test_command_of_the_readme(root: Path):
    [last] = re.findall(r"^exec (.*)$", (root / ".ci" / "run").read_text("utf-8"), re.MULTILINE)
    assert last == "make test"
    assert f"```sh\n{last}\n```" in (root / "README.md").read_text("utf-8")


def test_make_describes_every_target(root: Path):
    done = subprocess.run(["make", "--silent", "help"], cwd=root, capture_output=True, text=True, check=True)
    assert re.findall(r"^  make ([\w-]+)", done.stdout, re.MULTILINE) == [
        "help", "viewer", "demo", "check", "test", "bench", "bench-viewer", "crash", "fuzz", "docs", "clean",
    ]  # fmt: skip
