"""Whether two names may mean one model."""

from __future__ import annotations

from functools import lru_cache


def may_be_same_model(one: str | None, other: str | None) -> bool:
    """Tell whether one name is missing, equal to the other, or the other with prefix, date or version.

    `gpt-4o-mini` and `openai/gpt-4o-mini-2024-07-18` may; so may `gpt-4o` and `gpt-4o-mini`, for the shorter name can
    be an alias: names alone never make two spans one call.
    """
    return one is None or other is None or one == other or _contains(one, other)


@lru_cache(maxsize=4096)
def _contains(one: str, other: str) -> bool:
    short, long = sorted((_bare(one), _bare(other)), key=len)
    at = long.find(short)
    while at >= 0:
        end = at + len(short)
        if (at == 0 or not long[at - 1].isalnum()) and (end == len(long) or not long[end].isalnum()):
            return True
        at = long.find(short, at + 1)
    return False


def _bare(name: str) -> str:
    return name.lower().rstrip("/").rpartition("/")[2]
