"""Handlers attach: what arrives is whole, fenced, once, and in the timeline."""

from __future__ import annotations

import io
import threading

import msgspec
import pytest

import milepost
from sdk.sink import wait_for

QUICK = {"retry_delay_ms": 0, "jitter": 0}


def finished(client, task_id):
    """Return a task once it is finished."""
    return wait_for(lambda: (task := client.tasks.get(task_id)).finished_at and task, "the end of the task")


class OneReading(io.RawIOBase):
    """A file that can be read once, as a pipe."""

    def __init__(self, content: bytes) -> None:
        self._rest = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._rest.read(size)


@pytest.mark.parametrize("is_async", [False, True])
def test_everything_that_can_be_attached(agent, serve, create, client, tmp_path, is_async):
    path = tmp_path / "r.pdf"
    path.write_bytes(b"%PDF" * 200_000)
    with path.open("rb") as opened:
        opened.seek(4)
        given = {
            "report.pdf": path,
            "raw.bin": b"\0\1",
            "note.md": "# Höhe",
            "rest.pdf": opened,
            "pipe": OneReading(b"x" * 300_000),
            "sums": {"pages": [1, 2.5]},
        }
        if is_async:

            @agent.task("hand-over")
            async def handle(ctx):
                return [(await ctx.aattach(name, content, type="report")).version for name, content in given.items()]
        else:

            @agent.task("hand-over")
            def handle(ctx):
                return [ctx.attach(name, content, type="report").version for name, content in given.items()]

        serve()
        task = finished(client, create("hand-over", deliverables=[{"name": name} for name in given]))
    assert (task.status, task.result) == ("completed", [1] * 6), task.error_message
    kinds = {one.name: one.content_type for one in task.deliverables}
    assert (kinds["report.pdf"], kinds["note.md"], kinds["sums"]) == (
        "application/pdf",
        "text/markdown",
        "application/json",
    )
    assert client.tasks.read(task, "report.pdf") == path.read_bytes()
    assert client.tasks.read(task, "rest.pdf") == path.read_bytes()[4:]
    assert client.tasks.read(task, "pipe") == b"x" * 300_000
    assert client.tasks.read(task, "note.md").decode() == "# Höhe"
    assert msgspec.json.decode(client.tasks.read(task, "sums")) == {"pages": [1, 2.5]}
    assert {one.attempt for one in task.deliverables} == {1}


def test_an_attachment_is_a_mark_in_the_timeline(agent, serve, create, client):
    @agent.task("mark")
    def handle(ctx):
        with milepost.start_task("write"):
            ctx.attach("a.txt", "hello")

    serve()
    task = finished(client, create("mark"))
    milepost.flush()

    def marks():
        events = client.runs.events(task.last_run_id, kind="event")
        return [event for event in events if event.name == "milepost.deliverable"]

    (mark,) = wait_for(marks, "the event")
    assert mark.attributes["milepost.deliverable.name"] == "a.txt"
    assert mark.attributes["milepost.deliverable.version"] == 1
    assert mark.span_id == task.deliverables[0].span_id


def test_a_lost_answer_makes_no_second_version(agent, serve, create, client, wire):
    @agent.task("once")
    def handle(ctx):
        return ctx.attach("a.txt", b"x" * 100_000).version

    serve(endpoint=wire.endpoint)
    task_id = create("once")
    wire.lose[f"/api/tasks/{task_id}/deliverables/a.txt"] = 2
    task = finished(client, task_id)
    assert task.result == 1, task.error_message
    assert wire.count(f"/api/tasks/{task_id}/deliverables/a.txt") == 3
    assert len(client.tasks.deliverables(task_id, all_versions=True).deliverables) == 1


def test_what_is_missing_fails_the_attempt_and_the_next_can_make_good(agent, serve, create, client):
    @agent.task("contract")
    def handle(ctx):
        assert [one.type for one in ctx.expected_deliverables] == ["report"]
        if ctx.failures:
            ctx.attach("r.txt", "there", type="report")

    serve()
    task = finished(client, create("contract", deliverables=[{"type": "report"}], settings=QUICK))
    assert (task.status, task.attempt) == ("completed", 2)
    first = client.tasks.get_run(task, 1)
    assert (first.error_type, first.error_message) == ("MissingDeliverables", "type report: not attached")


def test_an_attempt_that_lost_its_lease_attaches_nothing(agent, serve, create, client):
    begun, go_on, ended = threading.Event(), threading.Event(), []

    @agent.task("late")
    def handle(ctx):
        begun.set()
        assert go_on.wait(10)
        try:
            ctx.attach("late.txt", "too late")
        except BaseException as error:
            ended.append(error)
            raise

    serve()
    task_id = create("late")
    assert begun.wait(10)
    client.tasks.complete(task_id, result="by hand")
    go_on.set()
    wait_for(lambda: ended, "the end of the handler")
    assert isinstance(ended[0], milepost.LeaseLost)
    assert client.tasks.deliverables(task_id).deliverables == []


def test_what_cannot_be_attached_is_no_use_to_try_again(agent, serve, create, client):
    @agent.task("wrong")
    def handle(ctx, name):
        ctx.attach(name, io.StringIO("text") if name == "text" else "x")

    serve()
    for name, said in (("../etc", "cannot be the name"), ("text", "binary mode")):
        task = finished(client, create("wrong", input=name))
        assert task.status == "failed"
        assert said in task.error_message
        assert task.attempt == 1


def test_attaching_would_block_the_event_loop(agent, serve, create, client):
    @agent.task("blocking")
    async def handle(ctx):
        ctx.attach("a", "x")

    serve()
    task = finished(client, create("blocking", settings={"max_retries": 0}))
    assert "await ctx.aattach" in task.error_message


def test_a_result_can_say_what_it_means(agent, serve, create, client):
    @agent.task("result")
    def handle():
        return milepost.Result({"pages": 3}, summary="Three pages.", insights=["short"], recommendations=["read it"])

    serve()
    task = finished(client, create("result"))
    assert task.result == {
        "value": {"pages": 3}, "summary": "Three pages.", "insights": ["short"], "recommendations": ["read it"],
    }  # fmt: skip
