"""Reads the text of a search into its tree."""

from __future__ import annotations

from collections.abc import Callable

from milepost_collector.errors import InvalidSearchError
from milepost_collector.protocol.search.fields import ALIASES, FIELDS, Field
from milepost_collector.protocol.search.lexer import Sort, Token, tokens
from milepost_collector.protocol.search.query import EVERYTHING, And, Node, Not, Or, Pattern, SpanGroup, Term, Value
from milepost_collector.protocol.search.values import nearest, read_pattern, read_value

MAX_CHARACTERS = 2_000
MAX_TERMS = 50
MAX_DEPTH = 24

_ENDS = (Sort.END, Sort.CLOSE)


def parse(text: str, *, of_spans: bool = False) -> Node:
    """Read a search. of_spans: it is about the spans of one run, so that what only runs have cannot be asked for.

    Raises:
        InvalidSearchError: it cannot be read; the error says where, what was found there and what is allowed.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidSearchError(
            text, MAX_CHARACTERS, len(text), f"the search has {len(text)} characters", f"use at most {MAX_CHARACTERS}"
        )
    return _Parser(text, of_spans=of_spans).whole()


class _Parser:
    def __init__(self, text: str, *, of_spans: bool) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._place = 0
        self._depth = 0
        self._terms = 0
        self._of_spans = of_spans

    def whole(self) -> Node:
        if self._next.sort is Sort.END:
            return EVERYTHING
        node = self._either()
        if self._next.sort is Sort.CLOSE:
            raise self._error(self._next, "this ) closes nothing", "remove it, or add the ( it belongs to")
        return node

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._next
        self._place += 1
        return token

    def _error(self, token: Token, found: str, remedy: str) -> InvalidSearchError:
        return InvalidSearchError(self._text, token.start, token.end, found, remedy)

    def _either(self) -> Node:
        items = [self._together()]
        while self._next.sort is Sort.OR:
            self._take()
            items.append(self._together())
        return items[0] if len(items) == 1 else Or(tuple(items))

    def _together(self) -> Node:
        items = [self._one()]
        while self._next.sort not in (*_ENDS, Sort.OR):
            if self._next.sort is Sort.AND:
                self._take()
            items.append(self._one())
        return items[0] if len(items) == 1 else And(tuple(items))

    def _one(self) -> Node:
        token = self._take()
        match token.sort:
            case Sort.NOT | Sort.MINUS:
                return Not(self._deeper(token, self._one))
            case Sort.OPEN:
                return self._closed(token)
            case Sort.SPAN:
                return self._group(token)
            case Sort.FIELD:
                return self._term(token)
            case Sort.TEXT:
                return self._count(token, Term("text", ":", (self._sought(token),)))
        found = "the search ends" if token.sort is Sort.END else f"there is {token.text}"
        raise self._error(token, f"{found} where a term is expected", "add a term, as status:failed, or quote the word")

    def _closed(self, opening: Token) -> Node:
        node = self._deeper(opening, self._either)
        if self._next.sort is not Sort.CLOSE:
            raise self._error(opening, f"this {opening.text} is never closed", "add a )")
        self._take()
        return node

    def _group(self, token: Token) -> Node:
        if self._of_spans:
            raise self._error(token, "span(…) stands where everything is about one span", "leave span( and its ) out")
        self._of_spans = True
        node = SpanGroup(self._closed(token))
        self._of_spans = False
        return node

    def _deeper(self, token: Token, read: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(token, "the search is nested too deeply", f"use at most {MAX_DEPTH} levels")
        node = read()
        self._depth -= 1
        return node

    def _term(self, token: Token) -> Node:
        field = self._field(token)
        operator = self._operator(token, field)
        given: list[Token] = []
        while self._next.sort is Sort.VALUE:
            given.append(self._take())
        if len(given) > 1 and operator != ":":
            raise self._error(given[1], f"{token.text}{operator} compares with several values", "give it one")
        return self._count(token, Term(field.name, operator, tuple(self._value(field, value) for value in given)))

    def _field(self, token: Token) -> Field:
        name = token.text.lower()
        field = FIELDS.get(ALIASES.get(name, name))
        at = token._replace(end=token.start + len(token.text))
        if field is None:
            near = nearest(name, [*FIELDS, *ALIASES])
            meant = f"did you mean {near}? " if near else ""
            raise self._error(
                at, f"there is no field {token.text}",
                f"{meant}fields are {', '.join(FIELDS)}; put it into quotes to look for it as a text",
            )  # fmt: skip
        if self._of_spans and field.place == "run":
            raise self._error(at, f"{field.name} is about runs, not about single spans", "ask it outside of span(…)")
        return field

    def _operator(self, token: Token, field: Field) -> str:
        operator = ":" if token.operator == "=" else token.operator
        if operator in field.operators:
            return operator
        at = token._replace(start=token.end - len(token.operator))
        allowed = " ".join(field.operators)
        if operator == "!=":
            raise self._error(at, "!= is no comparison", f"write -{field.name}:… to exclude; allowed are {allowed}")
        raise self._error(at, f"{field.name} cannot be compared with {operator}", f"allowed are {allowed}")

    def _value(self, field: Field, token: Token) -> Value:
        if field.name == "text":
            return self._sought(token)
        try:
            return read_value(field, token.text)
        except ValueError as error:
            raise self._error(token, f"{token.text!r} is no value of {field.name}", str(error)) from error

    def _sought(self, token: Token) -> Pattern:
        if not token.text:
            raise self._error(token, "the text to look for is empty", "write at least one character")
        return read_pattern(token.text)

    def _count(self, token: Token, term: Term) -> Term:
        self._terms += len(term.values)
        if self._terms > MAX_TERMS:
            raise self._error(token, "there are too many terms and values", f"use at most {MAX_TERMS}")
        return term
