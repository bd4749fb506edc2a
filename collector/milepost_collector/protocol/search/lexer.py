"""Cuts the text of a search into tokens with their places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

from milepost_collector.errors import InvalidSearchError

_SPACE = re.compile(r"\s+")
_SPAN = re.compile(r"span\(", re.IGNORECASE)
_FIELD = re.compile(r"([A-Za-z_][\w.]*)(:|>=|<=|!=|=|>|<)")
_STRING = re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL)
_VALUE = re.compile(r'(?:\\[*"\\]|[^\s(),"])+')
_WORD = re.compile(r'(?:\\[*"\\]|[^\s()"])+')
_UNFIT = re.compile("[\x00\ud800-\udfff]")
_STRAY = re.compile(r"[:<>=!]+")


class Sort(Enum):
    """What a token is."""

    OPEN = auto()
    CLOSE = auto()
    SPAN = auto()
    MINUS = auto()
    AND = auto()
    OR = auto()
    NOT = auto()
    TEXT = auto()
    FIELD = auto()
    VALUE = auto()
    END = auto()


_WORDS = {"AND": Sort.AND, "OR": Sort.OR, "NOT": Sort.NOT}


class Token(NamedTuple):
    """A piece of the text. operator: of a FIELD, whose VALUE tokens follow it."""

    sort: Sort
    text: str
    start: int
    end: int
    operator: str = ""


def tokens(text: str) -> list[Token]:
    """Return the tokens of a search, an END last.

    Raises:
        InvalidSearchError: something cannot be read.
    """
    if unfit := _UNFIT.search(text):
        raise InvalidSearchError(
            text, unfit.start(), unfit.end(), "this character cannot be looked for", "leave it out"
        )
    found: list[Token] = []
    place = _after_space(text, 0)
    while place < len(text):
        found += _next(text, place)
        place = _after_space(text, found[-1].end)
    return [*found, Token(Sort.END, "", len(text), len(text))]


def _after_space(text: str, place: int) -> int:
    space = _SPACE.match(text, place)
    return space.end() if space else place


def _next(text: str, place: int) -> Iterator[Token]:
    one = text[place]
    if one in "()":
        yield Token(Sort.OPEN if one == "(" else Sort.CLOSE, one, place, place + 1)
    elif one == "-":
        yield _minus(text, place)
    elif one == '"':
        yield _ending(text, _string(text, place, Sort.TEXT))
    elif span := _SPAN.match(text, place):
        yield Token(Sort.SPAN, span[0], place, span.end())
    elif field := _FIELD.match(text, place):
        yield Token(Sort.FIELD, field[1], place, field.end(), field[2])
        yield from _values(text, field)
    else:
        yield _word(text, place)


def _minus(text: str, place: int) -> Token:
    follows = text[place + 1 : place + 2]
    if not follows or follows.isspace() or follows == ")":
        raise InvalidSearchError(
            text, place, place + 1, "a - excludes nothing here", "put it directly before a term, or into quotes"
        )
    return Token(Sort.MINUS, "-", place, place + 1)


def _string(text: str, place: int, sort: Sort) -> Token:
    match = _STRING.match(text, place)
    if match is None:
        raise InvalidSearchError(text, place, len(text), "this quote is never closed", 'add a " at the end of the text')
    return Token(sort, match[1], place, match.end())


def _values(text: str, field: re.Match[str]) -> Iterator[Token]:
    place = field.end()
    while True:
        value = _value(text, place, field)
        yield value
        place = value.end
        if text[place : place + 1] != ",":
            break
        place += 1
    _ending(text, value)


def _value(text: str, place: int, field: re.Match[str]) -> Token:
    if text[place : place + 1] == '"':
        return _string(text, place, Sort.VALUE)
    match = _VALUE.match(text, place)
    if match is None:
        raise InvalidSearchError(
            text, field.start(), max(place, field.end()), f"{field[0]} has no value directly after it",
            f'write it without a space, as {field[0]}value or {field[0]}"two words"',
        )  # fmt: skip
    return Token(Sort.VALUE, match[0], place, match.end())


def _word(text: str, place: int) -> Token:
    if stray := _STRAY.match(text, place):
        raise InvalidSearchError(
            text, place, stray.end(), f"{stray[0]} has no field directly before it",
            "write comparisons without spaces, as cost>0.05",
        )  # fmt: skip
    match = _WORD.match(text, place)
    if match is None:  # a \ or another character that begins nothing else
        raise InvalidSearchError(text, place, place + 1, f"{text[place]!r} begins no term", "put it into quotes")
    return _ending(text, Token(_WORDS.get(match[0], Sort.TEXT), match[0], place, match.end()))


def _ending(text: str, token: Token) -> Token:
    """Return a token after which nothing follows that seems to belong to it."""
    follows = text[token.end : token.end + 1]
    if follows and not follows.isspace() and follows != ")":
        raise InvalidSearchError(
            text, token.end, token.end + 1, f"{follows} stands in the middle of a word or value",
            f"put a space before it, or the whole into quotes: {_in_quotes(token, follows)}",
        )  # fmt: skip
    return token


def _in_quotes(token: Token, follows: str) -> str:
    bare = token.text.replace('"', "")
    return f'"{bare}…"' if follows == '"' else f'"{bare}{follows}…"'
