"""Both clients over real sockets, against a stage that answers by a script: the same test for each of them."""

from __future__ import annotations

import asyncio
import inspect
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.sdk.client.samples import TASK

import milepost
from milepost import resources
from milepost.resources import answers
from milepost.testing import capture
from milepost_collector.protocol import api

if TYPE_CHECKING:
    from tests.sdk.client.conftest import Ask, Stage

TASK_JSON = msgspec.to_builtins(TASK)


def test_create_sends_a_key_and_returns_the_task(stage: Stage, ask: Ask):
    stage.script = [(201, TASK_JSON)]
    assert ask(lambda client: client.tasks.create("Extract", agent="etl-agent")) == TASK
    [request] = stage.seen
    assert (request.method, request.path) == ("POST", "/api/tasks")
    assert request.body == {"name": "Extract", "agent": "etl-agent"}
    assert len(request.headers["idempotency-key"]) == 32
    assert request.headers["user-agent"].startswith("milepost/")


def test_create_that_was_not_answered_is_repeated_under_its_key(stage: Stage, ask: Ask):
    stage.script = ["close", (201, TASK_JSON)]
    assert ask(lambda client: client.tasks.create("Extract")).id == "t-1"
    first, second = stage.seen
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


def test_command_that_was_not_answered_is_not_repeated(stage: Stage, ask: Ask):
    stage.script = ["close", (200, TASK_JSON)]
    with pytest.raises(milepost.UnavailableError, match="was not answered") as caught:
        ask(lambda client: client.tasks.cancel("t-1"))
    assert caught.value.maybe_done
    assert len(stage.seen) == 1


def test_refusal_is_an_exception_with_data(stage: Stage, ask: Ask):
    stage.script = [(409, {"title": "Conflict", "status": 409, "detail": "no", "legal": ["run"]})]
    with pytest.raises(milepost.ConflictError) as caught:
        ask(lambda client: client.tasks.resume("t-1"))
    assert (caught.value.status, caught.value.legal) == (409, ("run",))


def test_list_follows_the_pages(stage: Stage, ask: Ask):
    first = {"tasks": [TASK_JSON, TASK_JSON], "next_cursor": "a b"}
    stage.script = [(200, first), (200, {"tasks": [TASK_JSON], "next_cursor": None})]
    assert len(ask(lambda client: client.tasks.list(status="pending", page_size=2))) == 3
    assert [request.path for request in stage.seen] == [
        "/api/tasks?status=pending&sort=-created_at&limit=2",
        "/api/tasks?status=pending&sort=-created_at&limit=2&cursor=a+b",
    ]


def test_one_page_can_be_asked_for(stage: Stage, ask: Ask):
    stage.script = [(200, {"tasks": [TASK_JSON], "next_cursor": "c"})]
    page = ask(lambda client: client.tasks.list(cursor="b").page())
    assert (len(page.tasks), page.next_cursor) == (1, "c")


def test_deletion_has_no_answer(stage: Stage, ask: Ask):
    stage.script = [(204, None)]
    assert ask(lambda client: client.limits.delete("key", "customer/42")) is None
    assert stage.seen[0].path == "/api/limits/key/customer%2F42"


def test_wait_asks_until_the_task_is_finished(stage: Stage, ask: Ask):
    stage.script = [(200, TASK_JSON), (200, TASK_JSON | {"status": "completed", "result": 7})]
    assert ask(lambda client: client.tasks.wait("t-1", timeout_s=20)).result == 7


def test_creation_inside_a_run_names_its_span(stage: Stage, ask: Ask):
    stage.script = [(201, TASK_JSON)]
    with capture(), milepost.start_run("parent"):
        expected = milepost.traceparent()
        ask(lambda client: client.tasks.create("Extract"))
    assert stage.seen[0].body["traceparent"] == expected


def test_sql_gives_rows_and_records(stage: Stage, ask: Ask):
    columns = [{"name": "a", "type": "INTEGER"}, {"name": "b", "type": "VARCHAR"}]
    stage.script = [(200, {"columns": columns, "rows": [[1, "x"]], "truncated": False, "elapsed_ms": 0.1})]
    assert ask(lambda client: client.sql("SELECT 1 AS a, 'x' AS b")).records() == [{"a": 1, "b": "x"}]


def test_address_may_have_a_path(stage: Stage, ask_at: Any):
    stage.script = [(200, {"limits": []})]
    ask_at(f"{stage.endpoint}/milepost/")(lambda client: client.limits.list())
    assert stage.seen[0].path == "/milepost/api/limits"


@pytest.fixture
def process_wide(stage: Stage) -> Iterator[None]:
    """Make the stage the collector of the process-wide client, for one test."""
    milepost.init(endpoint=stage.endpoint)
    yield
    milepost.init(disabled=True)


@pytest.mark.usefixtures("process_wide")
def test_clients_without_settings_ask_the_process_wide_collector(stage: Stage):
    stage.script = [(200, {"limits": []}), (200, {"limits": []})]

    async def ask() -> None:
        async with milepost.AsyncClient() as client:
            await client.limits.list()

    milepost.Client().limits.list()
    asyncio.run(ask())
    assert len(stage.seen) == 2


def test_client_may_be_used_after_it_was_shut_down(stage: Stage):
    stage.script = [(200, {"limits": []}), (200, {"limits": []})]
    client = milepost.Client(endpoint=stage.endpoint)
    client.limits.list()
    client.shutdown()
    client.limits.list()
    client.shutdown()


def test_many_threads_share_a_client(stage: Stage):
    stage.script = [(200, {"limits": []})] * 40
    with milepost.Client(endpoint=stage.endpoint) as client:
        threads = [threading.Thread(target=lambda: [client.limits.list() for _ in range(5)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(stage.seen) == 40


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_forked_process_opens_connections_of_its_own(stage: Stage):
    stage.script = [(200, {"limits": []})] * 3
    code = """
import os, sys, milepost
client = milepost.Client(endpoint=sys.argv[1])
client.limits.list()
if (child := os.fork()) == 0:
    client.limits.list()
    sys.exit(7)
client.limits.list()
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""
    command = [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", code, stage.endpoint]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (7, "")
    assert len(stage.seen) == 3


def test_recording_alone_imports_no_http_client():
    code = (
        "import sys, milepost\n"
        "milepost.start_run('r').complete()\n"
        "print([name for name in ('httpx', 'milepost.resources', 'milepost.wire.tasks') if name in sys.modules])"
    )
    environment = {**os.environ, "MILEPOST_DISABLED": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("kind", [resources.Tasks, resources.AsyncTasks])
def test_methods_show_their_arguments_and_text(kind: type):
    signature = inspect.signature(kind.create)
    assert list(signature.parameters)[:3] == ["self", "name", "agent"]
    assert signature.return_annotation == "Task"
    assert "idempotency_key: the same" in (inspect.getdoc(kind.create) or "")


@pytest.mark.parametrize(
    ("read", "written"),
    [
        (answers.RunSummary, api.RunSummary),
        (answers.RunDetail, api.RunDetail),
        (answers.ProducerInfo, api.ProducerInfo),
        (answers.RunSpan, api.SpanSkeleton),
        (answers.RunEvent, api.EventItem),
        (answers.SqlResult, api.SqlResult),
    ],
)
def test_what_is_read_of_runs_is_what_the_collector_writes(read: Any, written: Any):
    assert set(written.__struct_fields__) - {"not_counted"} == set(read.__struct_fields__)
