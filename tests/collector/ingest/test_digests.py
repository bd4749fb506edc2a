"""What is stored once by its content: nothing added is taken for new, and what was added long ago is looked up."""

from __future__ import annotations

import sys
from hashlib import blake2b

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from milepost_collector.traces.digests import DigestIndex, Fingerprints
from milepost_collector.traces.statements import Statements
from tests.collector.ingest.harness import Store

ONE = (1).to_bytes(8, sys.byteorder).hex()

digests = st.integers(0, 2**128 - 1).map(lambda number: f"{number:032x}")


def digest(number: int) -> str:
    return blake2b(str(number).encode(), digest_size=16).hexdigest()


@given(added=st.lists(digests), others=st.lists(digests))
@example(added=["0" * 32, "0" * 31 + "1"], others=["0" * 30 + "10", "f" * 32])
def test_fingerprints_know_all_that_was_added_and_nothing_else(added: list[str], others: list[str]) -> None:
    known = Fingerprints()
    known.add(added)
    heads = {one[:16] for one in added} | ({"0" * 16, ONE} if _ambiguous(added) else set())
    assert known.known(added) == set(added)
    assert known.known(others) <= {one for one in others if one[:16] in heads}


def test_fingerprints_grow() -> None:
    known = Fingerprints()
    for begin in range(0, 300_000, 1_000):
        known.add([digest(number) for number in range(begin, begin + 1_000)])
    assert known.known([digest(number) for number in range(300_000, 320_000)]) == set()
    some = [digest(number) for number in range(0, 300_000, 1_000)]
    assert known.known(some) == set(some)


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


def _ambiguous(added: list[str]) -> bool:
    """Tell whether 64 bits of zeros, which stand for an empty place, were added as 1, or 1 itself."""
    first = {one[:16] for one in added}
    return not first.isdisjoint({"0" * 16, ONE})
