"""What only PostgreSQL has: several writers at the same time, a server that goes away, notifications."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from sqlalchemy import column, func, select, table, text

from milepost.wire.tasks import TaskFilter
from milepost_collector.controller.store import open_store
from milepost_collector.controller.store.interface import Candidate, ClaimQuery, Store, Tx
from milepost_collector.errors import DatabaseTooNewError, InvalidParameterError, StorageError, StorageUnavailableError
from tests.controller.conftest import ManualClock, OpenStore, empty_database
from tests.controller.postgres import PostgresServer
from tests.controller.store.rows import NOW, assignment, insert, insert_queued, leased, schedule, task, transition

TIMEOUT_S = 10


@pytest.fixture
def store(postgres_url: str, clock: ManualClock, open_stores: OpenStore) -> Store:
    """Return an empty store on PostgreSQL."""
    return open_stores(postgres_url, clock=clock)


@pytest.fixture(scope="module")
def second_server() -> Iterator[PostgresServer]:
    """Return a server that only the tests of this module use."""
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture
def own_server(second_server: PostgresServer) -> PostgresServer:
    """Return a server, running and empty, that the test may stop."""
    second_server.ensure_running()
    empty_database(second_server.url)
    return second_server


def wait_for(event: threading.Event) -> None:
    """Wait for what another thread does."""
    assert event.wait(TIMEOUT_S)


def ids_of(row: Any) -> str:
    """Return a row's id, whatever it is."""
    if isinstance(row, Candidate):
        return row.task.id
    return row if isinstance(row, str) else getattr(row, "task_id", None) or row.id


@pytest.mark.parametrize(
    "take",
    [
        lambda tx, limit: tx.candidates(ClaimQuery(agent="etl", teams=("data",), limit=limit)),
        lambda tx, limit: tx.ended_leases(limit),
        lambda tx, limit: tx.due_deadlines(limit),
        lambda tx, limit: tx.due_schedules(limit),
    ],
    ids=["candidates", "ended_leases", "due_deadlines", "due_schedules"],
)
def test_rows_that_another_transaction_took_are_left_out_without_waiting(
    store: Store, take: Callable[[Tx, int], list[Any]]
) -> None:
    insert_queued(store, *(assignment(f"q{number}", team="data" if number % 2 else None) for number in range(4)))
    insert_queued(store, *(leased(f"l{number}", expires_at=NOW) for number in range(4)))
    insert(store, *(task(f"d{number}", deadline_at=NOW) for number in range(4)))
    insert(store, *(schedule(f"s{number}", next_at=NOW) for number in range(4)))

    def take_two(tx: Tx) -> tuple[list[Any], list[Any]]:
        return take(tx, 2), store.run(lambda other: take(other, 9))  # the second while the first still has its two

    first, second = store.run(take_two)
    assert len(first) == 2
    assert not {ids_of(row) for row in first} & {ids_of(row) for row in second}


def test_claim_leaves_assignments_of_locked_tasks_out(store: Store) -> None:
    insert_queued(store, assignment("t1"), assignment("t2"))

    def lock_then_claim_elsewhere(tx: Tx) -> list[str]:
        tx.tasks(["t1"])
        return list(map(ids_of, store.run(lambda other: other.candidates(ClaimQuery(agent="a", limit=9)))))

    assert store.run(lock_then_claim_elsewhere) == ["t2"]


def test_rows_are_written_without_reading_the_others(store: Store) -> None:
    """Plans are made while the tables are small, and kept: they must not be those that suit small tables."""
    for _ in range(2):
        store.run(lambda tx: tx.delete([task("t0"), task("t1")]))
    insert_queued(store, *(assignment(f"t{number}") for number in range(300)))

    def write(tx: Tx) -> dict[str, int]:
        with tx.together():
            tx.update([assignment(f"t{number}", state="waiting") for number in range(8)])
            tx.delete([task("t8"), task("t9")])
        found = select(column("relname"), column("idx_tup_fetch")).select_from(table("pg_stat_xact_user_tables"))
        return dict(tx._tuples(found.where(text("relname IN ('assignments', 'tasks')"))))  # type: ignore[attr-defined]

    assert store.run(write) == {"assignments": 8, "tasks": 2}


def test_promotion_leaves_assignments_out_that_another_transaction_has(store: Store) -> None:
    insert_queued(store, *(assignment(f"t{number}", state="delayed") for number in range(3)))

    def lock_then_promote_elsewhere(tx: Tx) -> int:
        tx.assignments(["t1"])
        return store.run(lambda other: other.promote(9))

    assert store.run(lock_then_promote_elsewhere) == 2


def test_only_one_transaction_at_a_time_has_the_limits(store: Store) -> None:
    order: list[str] = []
    has_lock, other_asks = threading.Event(), threading.Event()

    def first(tx: Tx) -> None:
        tx.lock_limits()
        has_lock.set()
        wait_for(other_asks)
        order.append("first")

    def second(tx: Tx) -> None:
        wait_for(has_lock)
        other_asks.set()
        tx.lock_limits()
        order.append("second")

    run_together(lambda: store.run(first), lambda: store.run(second))
    assert order == ["first", "second"]


def run_together(*calls: Callable[[], Any]) -> list[Any]:
    """Return what calls in threads of their own return."""
    with ThreadPoolExecutor(len(calls)) as threads:
        return [future.result(TIMEOUT_S) for future in [threads.submit(call) for call in calls]]


def test_transaction_that_deadlocks_is_begun_again(store: Store) -> None:
    insert(store, task("t1"), task("t2"))
    both_began = threading.Barrier(2, timeout=TIMEOUT_S)
    tries: list[str] = []

    def lock(first: str, second: str) -> None:
        def work(tx: Tx) -> None:
            tx.tasks([first])
            tries.append(first)
            if len(tries) <= 2:  # at its first try each has what the other wants
                both_began.wait()
            tx.tasks([second])
            tx.update([task(first, phase="done")])

        store.run(work)

    run_together(lambda: lock("t1", "t2"), lambda: lock("t2", "t1"))
    assert {row.phase for row in store.read(lambda tx: tx.tasks(["t1", "t2"])).values()} == {"done"}
    assert len(tries) == 3


def test_follower_waits_for_transactions_that_began_earlier(store: Store) -> None:
    def write(tx: Tx) -> tuple[list[str], str]:
        tx.insert([transition("t1", event="first")])
        store.run(lambda other: other.insert([transition("t2", event="second")]))
        return events(store, "")

    assert store.run(write) == ([], "")  # the second is committed, the first could still come
    assert events(store, "")[0] == ["first", "second"]


def events(store: Store, position: str) -> tuple[list[str], str]:
    """Return the events after a position, and the next position."""
    found, position = store.read(lambda tx: tx.transitions_after(position, 7))
    return [row.event for row in found], position


def test_follower_misses_nothing_of_several_writers(store: Store) -> None:
    written = [[f"{writer}-{number}" for number in range(30)] for writer in range(3)]
    done = threading.Event()

    def write(mine: list[str]) -> None:
        for first, second in zip(mine[::2], mine[1::2], strict=True):
            store.run(lambda tx, pair=(first, second): [tx.insert([transition("t", event=one)]) for one in pair])

    def follow() -> list[str]:
        seen, position, finished = [], "", False
        while not finished:
            finished = done.is_set()
            found: list[str] = ["?"]
            while found:
                found, position = events(store, position)
                seen += found
        return seen

    with ThreadPoolExecutor(1) as follower:
        seen = follower.submit(follow)
        run_together(*(lambda mine=mine: write(mine) for mine in written))
        done.set()
        everything = seen.result(TIMEOUT_S)
    assert sorted(everything) == sorted(event for mine in written for event in mine)
    assert [[event for event in everything if event in mine] for mine in written] == written


def test_now_is_the_database_s(postgres_url: str, open_stores: OpenStore) -> None:
    store = open_stores(postgres_url)
    with psycopg.connect(postgres_url) as connection:
        clock = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
        ((before,),) = connection.execute(clock).fetchall()
        now = store.run(lambda tx: tx.now)
        ((after,),) = connection.execute(clock).fetchall()
    assert before <= now <= after


def test_server_that_is_away_is_said_and_used_again_when_it_is_back(
    own_server: PostgresServer, open_stores: OpenStore
) -> None:
    store = open_stores(own_server.url)
    insert(store, task("t1"))
    own_server.stop("immediate")
    for use in (store.run, store.read):
        with pytest.raises(StorageUnavailableError, match=r"cannot be written .*; start the server"):
            use(lambda tx: tx.now)
    own_server.start()
    assert list(store.read(lambda tx: tx.tasks(["t1"]))) == ["t1"]
    insert(store, task("t2"))
    assert store.run_each([lambda tx: list(tx.tasks(["t2"]))]) == [["t2"]]


def test_transaction_whose_connection_broke_before_commit_is_begun_again(
    own_server: PostgresServer, open_stores: OpenStore
) -> None:
    store = open_stores(own_server.url)
    tries: list[int] = []

    def work(tx: Tx) -> None:
        tx.insert([task("t1")])
        tries.append(tx.now)
        if len(tries) == 1:
            own_server.restart("immediate")
        tx.insert([task("t2")])

    store.run(work)
    assert len(tries) == 2
    assert sorted(store.read(lambda tx: tx.tasks(["t1", "t2"]))) == ["t1", "t2"]


def test_connection_that_breaks_at_commit_leaves_it_open_whether_that_was_done(
    own_server: PostgresServer, open_stores: OpenStore
) -> None:
    store = open_stores(own_server.url)

    def work(tx: Tx) -> None:
        tx.insert([task("t1")])
        own_server.restart("immediate")

    with pytest.raises(StorageUnavailableError, match=r"while committing: whether that was done is unknown"):
        store.run(work)
    assert store.run(lambda tx: tx.tasks(["t1"])) == {}


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize(
    "values", [{"name": "\0"}, {"tags": '["a", "\\u0000"]'}, {"agents": '["\\u0000"]'}], ids=["name", "tags", "agents"]
)
def test_text_that_postgresql_has_no_character_for_is_refused(store: Store, values: dict[str, str], rows: int) -> None:
    with pytest.raises(InvalidParameterError, match=r"leave the character U\+0000 out"):
        insert(store, *(task(f"t{number}", **values) for number in range(rows)))
    insert(store, task("t1", tags=r'["\\u0000"]'))
    assert store.read(lambda tx: tx.matching_ids(TaskFilter(tag=[r"\u0000"]), after=None, limit=9)) == ["t1"]


class Counter:
    """Counts calls from other threads."""

    def __init__(self) -> None:
        self.calls = threading.Semaphore(0)

    def __call__(self) -> None:
        self.calls.release()

    def called(self) -> bool:
        """Wait for one more call."""
        return self.calls.acquire(timeout=TIMEOUT_S)

    def pending(self) -> bool:
        """Tell whether there was another call already."""
        return self.calls.acquire(blocking=False)


@pytest.mark.parametrize(
    "change",
    [
        lambda tx: tx.insert([task("t3"), assignment("t3")]),
        lambda tx: tx.update([leased("t1", stop="cancel")]),
        lambda tx: tx.promote(1),
    ],
    ids=["ready", "command", "promotion"],
)
def test_other_collectors_hear_of_work_and_commands(
    store: Store, postgres_url: str, clock: ManualClock, open_stores: OpenStore, change: Callable[[Tx], Any]
) -> None:
    insert_queued(store, leased("t1"), assignment("t2", state="delayed"))
    other, heard, own = open_stores(postgres_url, clock=clock), Counter(), Counter()
    store.listen(own)
    other.listen(heard)
    store.run(change)
    assert heard.called()
    other.run(lambda tx: tx.insert([task("t9"), assignment("t9")]))
    assert own.called()
    assert not own.pending()  # the one before was its own
    assert not heard.pending()


def test_other_collectors_do_not_hear_of_anything_else(store: Store, postgres_url: str, open_stores: OpenStore) -> None:
    other, heard = open_stores(postgres_url), Counter()
    other.listen(heard)
    insert(store, task("t1"), leased("t1"), transition("t1"))
    insert_queued(store, assignment("t2"))
    assert heard.called()
    assert not heard.pending()


def test_listener_that_lost_its_connection_calls_once_it_is_back(
    own_server: PostgresServer, open_stores: OpenStore
) -> None:
    store, heard = open_stores(own_server.url), Counter()
    store.listen(heard)
    own_server.restart()
    assert heard.called()
    insert_queued(open_stores(own_server.url), assignment("t1"))
    assert heard.called()


def test_password_is_never_shown() -> None:
    for url in ("postgresql://ann:s3cret@localhost:1/x", "postgresql://localhost:1/x?user=ann&password=s3cret"):
        with pytest.raises(StorageUnavailableError, match="localhost:1") as raised:
            open_store(url)
        assert "s3cret" not in str(raised.value)
        assert "s3cret" not in str(raised.value.path)


def test_malformed_url_is_refused() -> None:
    with pytest.raises(StorageError, match=r"is not the URL of a PostgreSQL database"):
        open_store("postgresql://localhost/x?nonsense=1")


def test_tables_of_a_newer_milepost_are_refused(postgres_url: str) -> None:
    open_store(postgres_url).close()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("INSERT INTO schema_version VALUES (99, 'later')")
        try:
            with pytest.raises(DatabaseTooNewError, match="has layout 99, this Milepost knows layouts up to"):
                open_store(postgres_url)
        finally:
            connection.execute("DELETE FROM schema_version WHERE version = 99")


def test_database_in_another_encoding_is_refused(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS latin")
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(StorageError, match="is not encoded in UTF-8; create it with ENCODING 'UTF8'"):
        open_store(postgres_url.replace("/milepost?", "/latin?"))


def test_transaction_of_a_frozen_collector_is_ended_by_the_server(store: Store) -> None:
    """What is set is asked of the server: the test does not wait for as long as a transaction may be idle."""
    ((idle_s, lock_s),) = store.run(
        lambda tx: tx._tuples(  # type: ignore[attr-defined]
            select(func.current_setting("idle_in_transaction_session_timeout"), func.current_setting("lock_timeout"))
        )
    )
    assert (idle_s, lock_s) == ("10s", "15s")


def test_transaction_that_was_frozen_for_too_long_is_begun_again(store: Store, postgres_url: str) -> None:
    tries: list[int] = []

    def freeze_once(tx: Tx) -> None:
        tx.insert([task("t1")])
        tries.append(tx._value(select(func.pg_backend_pid())))  # type: ignore[attr-defined]
        if len(tries) == 1:
            setting = func.set_config("idle_in_transaction_session_timeout", "10ms", True)
            tx._value(select(setting))  # type: ignore[attr-defined]
            wait_until_gone(postgres_url, tries[0])
        tx.insert([task("t2")])

    store.run(freeze_once)
    assert len(tries) == 2
    assert sorted(store.read(lambda tx: tx.tasks(["t1", "t2"]))) == ["t1", "t2"]


def wait_until_gone(url: str, process_id: int) -> None:
    """Wait until the server has ended a connection."""
    deadline = time.monotonic() + TIMEOUT_S
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (process_id,)).fetchall():
            assert time.monotonic() < deadline


def test_several_collectors_may_make_the_tables_at_the_same_time(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    run_together(*(lambda: open_store(postgres_url).close() for _ in range(4)))


def test_missing_driver_is_named_with_its_extra() -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from milepost_collector.controller.store import open_store\n"
        "open_store('postgresql://localhost/x')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=TIMEOUT_S)
    assert "needs psycopg" in done.stderr
    assert "run: pip install 'milepost[scale]'" in done.stderr
