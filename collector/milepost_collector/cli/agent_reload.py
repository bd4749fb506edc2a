"""`milepost agent run --reload`: the agent in a process of its own, which drains and starts anew when its files change.

The files are looked at twice a second: that costs a few hundred `stat` calls, and no dependency.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

LOOK_EVERY_S = 0.5
CHILD_VARIABLE = "_MILEPOST_RELOADED"  # set for the process that is started anew

Stamp = dict[Path, tuple[int, int]]
"""The files that are watched, each with its time of change and its size."""


def is_reloaded() -> bool:
    """Tell whether this is the process that is started anew."""
    return CHILD_VARIABLE in os.environ


def run_with_reload(module_name: str) -> None:
    """Run this same command in a process of its own, again after each change, until SIGINT or SIGTERM.

    Raises:
        click.ClickException: there is no such module.
    """
    _Reloader(module_name).run()


def watched_folder(module_name: str) -> tuple[Path, bool]:
    """Return the folder whose Python files an agent is made of, and whether its subfolders belong to it.

    Raises:
        click.ClickException: there is no such module.
    """
    top = module_name.partition(".")[0]
    spec = importlib.util.find_spec(top)
    if spec is not None and spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))), True
    if spec is None or spec.origin is None:
        raise click.ClickException(f"there is no module {top!r} here ({Path.cwd()})")
    return Path(spec.origin).parent, False


def stamp(folder: Path, *, recursive: bool) -> Stamp:
    """Return the Python files of a folder as they are now."""
    return dict(_stamps(folder.rglob("*.py") if recursive else folder.glob("*.py")))


def _stamps(files: Iterator[Path]) -> Iterator[tuple[Path, tuple[int, int]]]:
    for file in files:
        try:
            status = file.stat()
        except FileNotFoundError:  # removed since it was listed, as editors do
            continue
        yield file, (status.st_mtime_ns, status.st_size)


def changes(before: Stamp, after: Stamp) -> list[Path]:
    """Return the files that were changed, added or removed, sorted."""
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


class _Reloader:
    """Starts this command again, as a process of its own, whenever the agent's files change."""

    def __init__(self, module_name: str) -> None:
        self._folder, self._recursive = watched_folder(module_name)
        self._signals = 0
        self._wake = threading.Event()

    def run(self) -> None:
        """Run until SIGINT or SIGTERM, which the process gets too."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        while not self._signals:
            before = stamp(self._folder, recursive=self._recursive)
            child = subprocess.Popen(_same_command(), env=os.environ | {CHILD_VARIABLE: "1"}, start_new_session=True)
            changed = self._wait_for_change(before)
            if changed:
                click.echo(f"{changed[0].name} changed; the work under way ends, then the agent starts anew")
            self._end(child)

    def _stop(self, number: int, frame: object) -> None:
        self._signals += 1

    def _wait_for_change(self, before: Stamp) -> Sequence[Path]:
        while not self._signals:
            self._wake.wait(LOOK_EVERY_S)
            if found := changes(before, stamp(self._folder, recursive=self._recursive)):
                return found
        return []

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        """Let the process drain; each further signal is handed on."""
        if child.poll() is None:
            child.terminate()
        handed_on = self._signals
        while child.poll() is None:
            if self._signals > max(handed_on, 1):
                handed_on = self._signals
                child.terminate()
            self._wake.wait(LOOK_EVERY_S / 10)


def _same_command() -> list[str]:
    return [sys.executable, "-m", "milepost_collector.cli", *sys.argv[1:]]
