"""A real PostgreSQL for the tests: a server of its own in a temporary folder, reached through a Unix socket."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

import pytest

_STOP_TIMEOUT_S = 30
# No fsync: the tests kill processes, not the machine. Small, since several servers may run at the same time.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "deadlock_timeout": "100ms",
    "log_min_messages": "fatal",
}


class PostgresServer:
    """A server with one database, `milepost`, of the user `milepost`."""

    def __init__(self, **settings: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="milepost-postgres-"))
        self._data = self._folder / "data"
        self._user = _unprivileged_user()
        self._settings = {**_SETTINGS, "unix_socket_directories": str(self._folder), **settings}
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        options = ["--username=milepost", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        self._run("initdb", f"--pgdata={self._data}", *options)
        self.start()
        self._run("createdb", f"--host={self._folder}", "--username=milepost", "milepost")

    @property
    def url(self) -> str:
        """The database's URL."""
        return f"postgresql://milepost@/milepost?host={quote(str(self._folder), safe='')}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = " ".join(f"-c {name}='{value}'" for name, value in self._settings.items())
        self._control("start", "--wait", f"--log={self._folder / 'log'}", f"--options={options}")

    def ensure_running(self) -> None:
        """Start the server unless it runs."""
        if not (self._data / "postmaster.pid").exists():
            self.start()

    def stop(self, mode: str = "fast") -> None:
        """Stop the server. mode: `fast` ends connections in order, `immediate` is like a crash."""
        self._control("stop", "--wait", f"--mode={mode}")

    def restart(self, mode: str = "fast") -> None:
        """Stop and start the server."""
        self.stop(mode)
        self.start()

    def remove(self) -> None:
        """Stop the server and remove everything."""
        self.stop("immediate")
        shutil.rmtree(self._folder)

    def _control(self, command: str, *arguments: str) -> None:
        self._run("pg_ctl", command, f"--pgdata={self._data}", *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        # To a file: what pg_ctl starts keeps its standard output, and a pipe would never end.
        with (self._folder / f"{program}.out").open("wb") as out:
            done = subprocess.run(
                [_program(program), *arguments],
                stdout=out,
                stderr=subprocess.STDOUT,
                user=self._user,
                cwd=self._folder,
                timeout=_STOP_TIMEOUT_S,
            )
        if done.returncode != 0:
            logs = [
                path.read_text() for path in (self._folder / f"{program}.out", self._folder / "log") if path.exists()
            ]
            pytest.fail(f"{program} failed with exit code {done.returncode}:\n" + "\n".join(logs))


def _program(name: str) -> str:
    """Return a program of PostgreSQL's; Debian keeps the server's out of the path."""
    found = shutil.which(name) or next(iter(sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)), None)
    if found is None:
        pytest.fail(f"PostgreSQL's {name} was not found; run: sudo apt-get install postgresql")
    return found


def _unprivileged_user() -> str | None:
    """Return whom the server runs as: PostgreSQL refuses to be root."""
    if os.getuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)
