"""Sums made in bulk stand in nobody's way."""

from __future__ import annotations

from collections.abc import Callable

from milepost.wire import SpanEnded
from tests.collector.ingest.harness import Store, batch_of


def test_checkpoint_works_after_summing_while_a_reader_holds_an_older_snapshot(make_store: Callable[[], Store]) -> None:
    store = make_store()
    for sequence in range(3):
        with store.database.reader() as connection:
            connection.execute("BEGIN TRANSACTION READ ONLY")
            before = connection.execute("SELECT count(*) FROM runs").fetchall()
            span = SpanEnded(run_id=f"{sequence + 1:032x}", span_id="1" * 16, name="a", start_time=1, end_time=2)
            store.send(batch_of([span], sequence=sequence))
            store.committer.sum_up()
            store.database.checkpoint()
            assert connection.execute("SELECT count(*) FROM runs").fetchall() == before == [(sequence,)]
    assert store.rows("SELECT up_to FROM summed") == [(2,)]
