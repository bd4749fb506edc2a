"""The search language: `kind:llm model:gpt-4o* cost>0.05 status:failed,lost "connection refused" -tag:test`. Pure.

Terms stand side by side (all must hold), between OR, in parentheses, behind - or NOT. A bare word or a quoted string is
a text to look for; `*` in a value stands for anything. `span(…)` asks for one span of a run that fulfils everything in
the parentheses; outside of it a term is about the run's own facts and sums, or, where a run has none (`kind`, `tool`,
`error`, `text`, `provider`), about any of its spans.

Read `fields` (what may be asked about), `query` (the tree a text becomes), `values` (numbers, times, patterns), `lexer`
and `parser` (text to tree), `writing` (tree to text), `completion` (what may come next).
"""

from milepost_collector.protocol.search.completion import Completing, complete
from milepost_collector.protocol.search.fields import FIELDS, Field, Kind
from milepost_collector.protocol.search.parser import parse
from milepost_collector.protocol.search.query import (
    EVERYTHING,
    And,
    Instant,
    Node,
    Not,
    Number,
    Or,
    Pattern,
    SpanGroup,
    Term,
    Value,
    conjuncts,
    without,
)
from milepost_collector.protocol.search.values import instant_ns
from milepost_collector.protocol.search.writing import quoted, write

__all__ = [
    "EVERYTHING",
    "FIELDS",
    "And",
    "Completing",
    "Field",
    "Instant",
    "Kind",
    "Node",
    "Not",
    "Number",
    "Or",
    "Pattern",
    "SpanGroup",
    "Term",
    "Value",
    "complete",
    "conjuncts",
    "instant_ns",
    "parse",
    "quoted",
    "without",
    "write",
]
