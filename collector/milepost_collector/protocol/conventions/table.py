"""The table of conventions: what a rule looks like, and how tables are read, checked and extended."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from milepost.errors import MilepostError

Kind = Literal[
    "agent", "task", "llm", "tool", "retrieval", "reranker", "embedding", "chain", "guardrail", "evaluator", "prompt",
    "memory", "http", "db", "rpc", "messaging", "other",
]  # fmt: skip
Count = Literal[
    "input_tokens", "output_tokens", "total_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens",
    "uncached_input_tokens", "plain_output_tokens",
]  # fmt: skip
Cost = Literal["cost_usd", "input_cost_usd", "output_cost_usd"]
Text = Literal[
    "agent", "tool", "response_model", "model", "request_model", "session_id", "user_id", "response_id"
]  # fmt: skip
Error = Literal["error_type", "error_message", "error_stack"]
Kinds = dict[str, Kind]  # by value; `*` stands for any text


class TableError(MilepostError, ValueError):
    """A table of conventions cannot be used. path: its file, None for the one that ships."""

    def __init__(self, path: Path | None, reason: str) -> None:
        super().__init__(f"conventions table {path or 'table.json'} cannot be used: {reason}")
        self.path = path


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all rules have. source: who writes so, for people to read."""

    source: str = ""


class KindRule(Rule, frozen=True, kw_only=True):
    """An attribute whose values tell a span's kind. Case is not told apart."""

    attribute: str
    values: Kinds


class NameGroup(Rule, frozen=True, kw_only=True):
    """Kinds of spans by their names, within the scopes that match."""

    kinds: Kinds
    scope: str = "*"


class Names(Rule, frozen=True, kw_only=True):
    """Names of spans.

    groups: kinds of spans that no attribute gives one. corrections: of spans whose attributes give a wrong one.
    generic: names that say nothing. readable: attributes with a better one. operation: attributes from which to make
    one. strip: what comes before and after an agent's or tool's name. not_own: names that are nobody's own.
    """

    groups: list[NameGroup] = []
    corrections: list[NameGroup] = []
    generic: list[str] = []
    readable: list[str] = []
    operation: list[str] = []
    strip: list[str] = []
    not_own: list[str] = []


class Providers(Rule, frozen=True, kw_only=True):
    """Providers of models.

    names: attributes, in order of preference. frameworks: values that are no providers. variants: endings that name an
    interface of a provider. aliases: the GenAI conventions' value to others that mean it.
    """

    names: list[str] = []
    frameworks: list[str] = []
    variants: list[str] = []
    aliases: dict[str, list[str]] = {}


class Document(Rule, frozen=True, kw_only=True):
    """An attribute that holds counts or costs as an object. fields: its keys, dotted where nested.

    sum: the field that is all numbers of the object together, when it is not there itself.
    """

    attribute: str
    fields: dict[Count | Cost, list[str]]
    sum: Cost | None = None


class FirstToken(Rule, frozen=True, kw_only=True):
    """When a model began to answer. instants: ISO 8601. events: whose first one tells."""

    durations: dict[str, Literal["s", "ms"]] = {}
    instants: list[str] = []
    events: list[str] = []


class StatusRule(Rule, frozen=True, kw_only=True):
    """An attribute that tells how a span ended: by value, or as a level of at least so much."""

    attribute: str
    values: dict[str, Literal["failed", "cancelled", "skipped"]] = {}
    at_least: float | None = None
    status: Literal["failed", "cancelled", "skipped"] = "failed"


class Errors(Rule, frozen=True, kw_only=True):
    """Errors. failing: attributes whose presence means failure. cancellations: types that mean cancelled."""

    error_type: list[str] = []
    error_message: list[str] = []
    error_stack: list[str] = []
    failing: list[str] = []
    cancellations: list[str] = []


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table of conventions. Lists are in order of preference; `by_kind` holds names that need a kind."""

    version: int
    no_text: list[str] = []
    kinds: list[KindRule] = []
    names: Names = Names()
    texts: dict[Text, list[str]] = {}
    providers: Providers = Providers()
    tags: list[str] = []
    by_kind: dict[Kind, dict[Text | Literal["input", "output"], list[str]]] = {}
    counts: dict[Count, list[str]] = {}
    costs: dict[Cost, list[str]] = {}
    documents: list[Document] = []
    first_token: FirstToken = FirstToken()
    statuses: list[StatusRule] = []
    errors: Errors = Errors()
    input: list[str] = []
    output: list[str] = []
    presence: dict[str, Kinds] = {}
    protocols: dict[str, Kind] = {}

    def places(self) -> Iterator[tuple[str, str, int]]:
        """Yield each attribute with its field and its rank there, 0 being preferred."""
        for field, names in self._fields():
            for rank, name in enumerate(names):
                yield name, field, rank

    def _fields(self) -> Iterator[tuple[str, list[str]]]:
        yield "kind", [rule.attribute for rule in self.kinds]
        yield from self.texts.items()
        yield "provider", self.providers.names
        yield "tags", self.tags
        yield from self.counts.items()
        yield from self.costs.items()
        yield "document", [document.attribute for document in self.documents]
        yield "first_token_ms", list(self.first_token.durations)
        yield "first_token_time", self.first_token.instants
        yield "status", [rule.attribute for rule in self.statuses]
        yield "error_type", self.errors.error_type
        yield "error_message", self.errors.error_message
        yield "error_stack", self.errors.error_stack
        yield "input", self.input
        yield "output", self.output
        yield "protocol", list(self.protocols)


def shipped_table() -> Table:
    """Return the table that ships with this program."""
    raw = (resources.files("milepost_collector.protocol.conventions") / "table.json").read_bytes()
    return _checked(None, msgspec.json.decode(raw))


def load_table(path: Path) -> Table:
    """Return the shipped table, extended by the rules of a file, which come first.

    The file has the same form, every part of it optional. See README.md beside this module.

    Raises:
        OSError: the file cannot be read.
        TableError: it is no table, or contradicts the shipped one.
    """
    raw = path.read_bytes()
    try:
        extra = msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TableError(path, f"{error}; write JSON of the form that table.json has") from error
    return _checked(path, _joined(msgspec.to_builtins(shipped_table()), extra))


def _checked(path: Path | None, raw: Any) -> Table:
    try:
        table = msgspec.convert(raw, Table)
    except msgspec.ValidationError as error:
        raise TableError(path, str(error)) from error
    fields: dict[str, str] = {}
    for name, field, _ in table.places():
        if fields.setdefault(name, field) != field:
            raise TableError(path, f"{name} is given as {fields[name]} and as {field}; keep one")
    if unknown := set(table.presence) - set(fields.values()):
        raise TableError(
            path, f"presence of {min(unknown)!r}, which is no field; use one of {sorted(set(fields.values()))}"
        )
    return table


def _joined(base: Any, extra: Any) -> Any:
    """Return two tables as one: what `extra` says comes before or instead of what `base` says."""
    if isinstance(base, dict) and isinstance(extra, dict):
        merged = {key: _joined(base[key], extra[key]) if key in base else extra[key] for key in extra}
        return {**merged, **{key: value for key, value in base.items() if key not in extra}}
    if isinstance(base, list) and isinstance(extra, list):
        return extra + base
    return extra
