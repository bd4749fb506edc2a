"""Values and names to what they mean, by exact text and by patterns in which `*` stands for any text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from milepost_collector.protocol.conventions.table import NameGroup, Providers
from milepost_collector.protocol.conventions.values import text_of

Form = Callable[[Any], Any]  # an attribute's value to what it says, None if it says nothing

# Results of each matcher that are kept: values repeat, and those that do not must not pile up (25 matchers, 5 MB).
MAX_REMEMBERED = 1024
MAX_MEANING = 200  # characters of a value or name that can mean something


def matcher(meanings: Mapping[str, str]) -> Callable[[Any], str | None]:
    """Return a function from a text to its meaning, exact ones first, then patterns in their order."""
    exact = variants(meanings)
    patterns = [(_pattern(key), meaning) for key, meaning in meanings.items() if "*" in key]

    @lru_cache(MAX_REMEMBERED)
    def search(text: str) -> str | None:
        plain = (text_of(text) or "").casefold()
        return exact.get(plain) or next((meaning for one, meaning in patterns if one.fullmatch(plain)), None)

    def match(value: Any) -> str | None:
        if type(value) is not str:
            return None
        return exact.get(value) or (search(value) if len(value) <= MAX_MEANING else None)

    return match


def variants(meanings: Mapping[str, str]) -> dict[str, str]:
    """Return exact texts as they are, in lower and in upper case, so that most values are found at once."""
    found: dict[str, str] = {}
    for key, meaning in meanings.items():
        if "*" not in key:
            for text in (key, key.casefold(), key.upper(), key.title()):
                found.setdefault(text, meaning)
    return found


def named_kind(groups: Iterable[NameGroup]) -> Callable[[str, str], str | None]:
    """Return a function from a scope and a span's name to its kind."""
    compiled = [(_pattern(group.scope), matcher(group.kinds)) for group in groups]

    @lru_cache(MAX_REMEMBERED)
    def search(scope: str, name: str) -> str | None:
        for pattern, match in compiled:
            if pattern.fullmatch(scope.casefold()) and (kind := match(name)) is not None:
                return kind
        return None

    return search


def corrected_kind(groups: Iterable[NameGroup]) -> Callable[[str, str], str | None]:
    """Return a function from a scope and a span's name to the kind it has whatever its attributes say."""
    compiled = [(_pattern(group.scope), matcher(group.kinds)) for group in groups]

    @lru_cache(MAX_REMEMBERED)
    def matchers(scope: str) -> tuple[Callable[[Any], str | None], ...]:
        return tuple(match for pattern, match in compiled if pattern.fullmatch(scope.casefold()))

    def search(scope: str, name: str) -> str | None:
        return next((kind for match in matchers(scope) if (kind := match(name)) is not None), None)

    return search


def provider_form(providers: Providers, read: Form) -> Form:
    """Return the function from a provider's name to its value in the GenAI conventions; frameworks are None.

    read: the function from a value to the text it is.
    """
    known = {alias: name for name, aliases in providers.aliases.items() for alias in (name, *aliases)}
    frameworks = frozenset(providers.frameworks)

    @lru_cache(MAX_REMEMBERED)
    def search(text: str) -> str | None:
        name = (read(text) or "").lower()
        if name in frameworks or not name:
            return None
        if name in known:
            return known[name]
        for ending in providers.variants:
            if name.endswith(ending) and (short := name.removesuffix(ending)):
                return known.get(short, short)
        return name

    return lambda value: search(value) if type(value) is str and len(value) <= MAX_MEANING else None


def own_name(strip: Iterable[str], generic: frozenset[str], not_own: Iterable[str]) -> Callable[[str], str | None]:
    """Return a function from a span's name to the agent's or tool's name in it, None where it is nobody's own."""
    affixes, patterns = tuple(strip), [_pattern(key) for key in not_own]

    @lru_cache(MAX_REMEMBERED)
    def search(name: str) -> str | None:
        if name in generic or any(one.fullmatch(name.casefold()) for one in patterns):
            return None
        for affix in affixes:
            name = name.removeprefix(affix).removesuffix(affix)
        return text_of(name) if name not in generic and "{" not in name else None

    return search


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in text.casefold().split("*")), re.DOTALL)
