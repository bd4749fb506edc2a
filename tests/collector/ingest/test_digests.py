"""What is stored once by its content: the filter never forgets, and what it is unsure of is looked up."""

from __future__ import annotations

from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost_collector.traces.digests import BloomFilter, DigestIndex
from milepost_collector.traces.statements import Statements
from tests.collector.ingest.harness import Store

digests = st.integers(0, 2**128 - 1).map(lambda number: f"{number:032x}")


def digest(number: int) -> str:
    return blake2b(str(number).encode(), digest_size=16).hexdigest()


@given(added=st.sets(digests))
def test_filter_knows_all_that_was_added(added: set[str]) -> None:
    known = BloomFilter()
    for one in added:
        known.add(one)
    assert all(known.may_know(one) for one in added)


def test_filter_grows_before_it_takes_much_for_known() -> None:
    known = BloomFilter()
    for number in range(300_000):
        known.add(digest(number))
    mistaken = sum(known.may_know(digest(number)) for number in range(300_000, 320_000))
    assert mistaken < 20_000 * 0.03
    assert all(known.may_know(digest(number)) for number in range(0, 300_000, 1_000))


@pytest.mark.parametrize("is_prepared", [True, False])
def test_index_finds_what_is_new(store: Store, is_prepared: bool) -> None:
    statements = Statements(store.database.writer)
    statements.get_ready()
    stored, new = digest(-1), digest(-2)
    store.database.writer.execute("INSERT INTO pieces VALUES (?, 'x')", [stored])
    index = DigestIndex("pieces", "piece_id")
    if is_prepared:
        index.prepare(statements)
    assert index.new(statements, [stored, new]) == {new}
    index.note([new])
    assert index.new(statements, [stored, new]) == set()


def test_index_that_forgot_looks_up(store: Store) -> None:
    statements = Statements(store.database.writer)
    statements.get_ready()
    index = DigestIndex("pieces", "piece_id", max_recent=0)
    index.prepare(statements)
    store.database.writer.execute("INSERT INTO pieces VALUES (?, 'y')", [digest(-3)])
    index.note([digest(-3)])
    index.trim()
    assert index.new(statements, [digest(-3)]) == set()
