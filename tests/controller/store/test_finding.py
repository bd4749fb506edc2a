"""Finding rows by what their columns hold: as a filter and a sort in Python would."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from milepost_collector.controller.rows import AskRow
from milepost_collector.controller.store.interface import Find, Store
from tests.controller.store import rows

TEXTS = st.sampled_from(["", "a", "B", "é", "%"])
INSTANTS = st.integers(0, 5)
CONTENTS = st.lists(
    st.fixed_dictionaries({
        "key": TEXTS,
        "created_at": INSTANTS,
        "expires_at": st.none() | INSTANTS,
        "agent": st.none() | TEXTS,
    }),
    max_size=12,
)  # fmt: skip
QUERIES = st.builds(
    Find,
    equal=st.fixed_dictionaries({}, optional={"key": TEXTS, "agent": st.none() | TEXTS}),
    one_of=st.fixed_dictionaries({}, optional={"key": st.lists(TEXTS)}),
    before=st.fixed_dictionaries({}, optional={"expires_at": INSTANTS}),
    since=st.fixed_dictionaries({}, optional={"created_at": INSTANTS}),
    order=st.sampled_from([("id",), ("created_at", "id"), ("key", "created_at", "id")]),
    descending=st.booleans(),
)


def fits(row: AskRow, query: Find) -> bool:
    """Tell whether a query describes a row."""

    def value(name: str) -> Any:
        return getattr(row, name)

    return (
        all(value(name) == wanted for name, wanted in query.equal.items())
        and all(value(name) in wanted for name, wanted in query.one_of.items())
        and all(value(name) is not None and value(name) < limit for name, limit in query.before.items())
        and all(value(name) >= limit for name, limit in query.since.items())
    )


def sort_key(row: AskRow, order: Collection[str]) -> tuple[Any, ...]:
    """Return what a row is sorted by; texts by their bytes."""
    values = (getattr(row, name) for name in order)
    return tuple(value.encode() if isinstance(value, str) else value for value in values)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents=CONTENTS, query=QUERIES, page=st.integers(1, 4), lock=st.booleans())
def test_pages_hold_what_a_filter_and_a_sort_give(
    store: Store, contents: list[dict[str, Any]], query: Find, page: int, lock: bool
) -> None:
    asked = [rows.ask(f"a{number:02}", owner=f"t{number}/0", **given) for number, given in enumerate(contents)]
    expected = sorted(
        (row for row in asked if fits(row, query)),
        key=lambda row: sort_key(row, query.order),
        reverse=query.descending,
    )
    store.run(lambda tx: tx.delete(tx.find(AskRow, Find())))
    store.run(lambda tx: tx.insert(asked))

    def pages(tx: Any) -> list[AskRow]:
        found: list[AskRow] = []
        after = None
        while rest := tx.find(AskRow, replace(query, after=after, limit=page), lock=lock):
            found += rest
            after = tuple(getattr(rest[-1], name) for name in query.order)
        return found

    assert store.run(pages) == expected
    assert store.read(lambda tx: tx.count(AskRow, query)) == len(expected)
