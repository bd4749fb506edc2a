"""A file as the input of a task. Pure but for reading it.

JSON is what it says; lines of JSON and the rows of CSV and TSV become lists, a row an object by the header's names;
everything else is text.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import click

MAX_BYTES = 1024 * 1024  # what a collector takes as an input unless it is told otherwise


def with_file(given: Any, path: Path) -> dict[str, Any]:
    """Return an input with a file in it: its name as `file`, what it holds as `data`.

    given: the input otherwise, an object or None.

    Raises:
        click.UsageError: the input is something else than an object, or has these members.
        click.ClickException: the file cannot be read, is too large, or is not what its name says.
    """
    if given is not None and not isinstance(given, dict):
        raise click.UsageError("--data puts a file into an input that is an object; leave --input out, or give one")
    known = given or {}
    if taken := sorted({"file", "data"} & set(known)):
        raise click.UsageError(f"the input has {', '.join(taken)} already, and --data gives file and data")
    return {**known, "file": path.name, "data": _content(path)}


def _content(path: Path) -> Any:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise click.ClickException(
                f"{path} has {size} bytes, and an input {MAX_BYTES} at most; "
                "put it where the agent can read it and give --input its address"
            )
        return _read(path.suffix.lower(), path.read_text("utf-8-sig"))
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{path} is no text in UTF-8; give --input its address instead") from error
    except (ValueError, csv.Error) as error:
        raise click.ClickException(f"{path} is not what its name says: {error}") from error


def _read(suffix: str, text: str) -> Any:
    if suffix == ".json":
        return json.loads(text)
    if suffix in (".jsonl", ".ndjson"):
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    if suffix in (".csv", ".tsv"):
        return _rows(text, "\t" if suffix == ".tsv" else ",")
    return text


def _rows(text: str, delimiter: str) -> list[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = []
    for row in reader:
        if None in row or None in row.values():
            raise ValueError(f"line {reader.line_num} has not as many cells as the header")
        rows.append(row)
    return rows
