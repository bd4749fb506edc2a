"""Like messages made equal: what changes from one occurrence to the next is masked. Pure.

The expressions are of RE2, which DuckDB has, and mean the same to Python.
"""

from __future__ import annotations

import re

from milepost_collector.protocol.search import Pattern

MAX_MESSAGE = 1_000  # characters that are compared

# In this order: a number within a path is part of the path.
MASKS = (
    (r'"[^"]*"', '"…"'),
    (r"`[^`]*`", "`…`"),
    (r"(^|[^0-9A-Za-z])'[^']*'", r"\1'…'"),
    (r"\b[a-z][a-z0-9+.]*://[^\s]+", "<url>"),
    (r"(^|[\s(=:,])(~|\.{1,2})?(/[0-9A-Za-z_.@~+%-]+){2,}/?", r"\1<path>"),
    (r"\b[A-Za-z]:\\[^\s]+", "<path>"),
    (r"\b[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b", "<id>"),
    (r"\b[A-Za-z]{2,10}_[A-Za-z]*[0-9][0-9A-Za-z]{6,}\b", "<id>"),
    (r"\b0x[0-9a-fA-F]+\b", "<id>"),
    (r"\b[0-9a-fA-F]*[0-9][0-9a-fA-F]{7,}\b", "<id>"),
    (r"\b[0-9]+([.,:][0-9]+)*(ms|us|ns|s|m|h|d|k|K|M|kB|KB|MB|GB|B)?\b", "<n>"),
)
_MASKED = re.compile("|".join(re.escape(token) for token in ("…", "<url>", "<path>", "<id>", "<n>")))


def mask(message: str) -> str:
    """Return a message with numbers, ids, quoted texts, addresses and paths masked."""
    masked = message[:MAX_MESSAGE]
    for expression, token in MASKS:
        masked = re.sub(expression, token, masked, flags=re.ASCII)  # as RE2 has words and spaces
    return masked


def mask_sql(column: str) -> str:
    """Return the SQL that does the same."""
    sql = f"left({column}, {MAX_MESSAGE})"
    for expression, token in MASKS:
        sql = f"regexp_replace({sql}, {_text(expression)}, {_text(token)}, 'g')"
    return sql


def pattern_of(masked: str, *, is_cut: bool) -> Pattern:
    """Return what a search finds the messages by: anything may stand where something is masked."""
    parts = _MASKED.split(masked)
    return Pattern((*parts, "") if is_cut and parts[-1] else tuple(parts))


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
