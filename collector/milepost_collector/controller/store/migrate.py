"""Numbered migrations: `migrations/<dialect>/NNNN_<what>.sql`, forward only, each in a transaction of its own."""

from __future__ import annotations

import re
from importlib import resources
from typing import NamedTuple

VERSION_TABLE = "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL)"
NEWEST_VERSION = "SELECT coalesce(max(version), 0) FROM schema_version"
_FILE = re.compile(r"(?P<version>\d{4})_(?P<name>\w+)\.sql")


class Migration(NamedTuple):
    """A step from one layout of the tables to the next. script: SQL statements."""

    version: int
    name: str
    script: str

    def as_transaction(self) -> str:
        """Return the script with the note that it was done, as one transaction."""
        note = f"INSERT INTO schema_version (version, name) VALUES ({self.version}, '{self.name}')"
        return f"BEGIN;\n{self.script.rstrip().rstrip(';')};\n{note};\nCOMMIT;"


def migrations(dialect: str) -> list[Migration]:
    """Return all migrations of a dialect, from the first; they are numbered without gaps."""
    folder = resources.files(__package__) / "migrations" / dialect
    found = []
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if match := _FILE.fullmatch(file.name):
            found.append(Migration(int(match["version"]), match["name"], file.read_text("utf-8")))
    assert [step.version for step in found] == list(range(1, len(found) + 1)), f"gaps in the migrations of {dialect}"
    return found
