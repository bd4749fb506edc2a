"""Webhooks over HTTP, from clients and on the command line: what is asked and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner

import milepost
from milepost.errors import ConflictError, InvalidRequestError, NotFoundError
from milepost_collector.cli.commands import milepost as command
from milepost_collector.secrets import KEY_FILE
from tests.collector.server import Server, StartServer
from tests.collector.webhooks.sink import Reply, Sink


@pytest.fixture
def told(start_server: StartServer, sink: Sink) -> Server:
    """Return a collector that may send to the sink."""
    return start_server(webhook_allow_hosts=(sink.host,))


@pytest.fixture
def client(told: Server) -> Iterator[milepost.Client]:
    """Return a client of it."""
    with milepost.Client(endpoint=told.url) as made:
        yield made


@pytest.fixture
def run(told: Server) -> Callable[..., Any]:
    """Return a function that runs a command."""

    def run_(*arguments: str, **more: Any) -> Any:
        return CliRunner().invoke(command, [*arguments, "--endpoint", told.url], **more)

    return run_


def test_client_makes_changes_and_removes_a_webhook(client: milepost.Client, sink: Sink) -> None:
    made = client.webhooks.create("ops", url=sink.url, events="task.*", tags=["a"], description="x")
    assert made.secret.startswith("whsec_")
    assert client.webhooks.update("ops", events=["run.failed"], name="renamed").name == "renamed"
    assert client.webhooks.get(made.webhook).events == ["run.failed"]
    assert [one.name for one in client.webhooks.list().webhooks] == ["renamed"]
    assert client.webhooks.pause("renamed", reason="later", by="ann").status == "paused"
    assert client.webhooks.resume("renamed").status == "active"
    assert client.webhooks.rotate("renamed", overlap_ms=0).webhook.old_secret_until is None
    client.webhooks.delete("renamed")
    with pytest.raises(NotFoundError, match="renamed"):
        client.webhooks.get("renamed")


def test_client_follows_deliveries(client: milepost.Client, sink: Sink) -> None:
    client.webhooks.create("ops", url=sink.url, events="task.created")
    sink.reply = lambda _: Reply(410)
    task = client.tasks.create("Load")
    sink.wait(1)
    (one,) = settled(client, "failed")
    assert (one.subject, one.tries, one.last_status) == (task.id, 1, 410)
    detail = client.webhooks.delivery("ops", one)
    assert detail.event.data["task_id"] == task.id
    sink.reply = lambda _: Reply()
    assert client.webhooks.resume("ops").status == "active"
    assert client.webhooks.replay("ops", since=one.time).replayed == 1
    (again,) = settled(client, "delivered")
    assert (again.id, again.tries) == (one.id, 2)
    client.webhooks.replay_delivery("ops", again)
    sink.wait(3)
    assert len({request.id for request in sink.received}) == 1


def settled(client: milepost.Client, status: Any) -> list[Any]:
    """Return the deliveries of a status once there is one."""
    while not (found := list(client.webhooks.deliveries("ops", status=status))):
        pass
    return found


def test_deliveries_come_in_pages(client: milepost.Client, sink: Sink) -> None:
    client.webhooks.create("ops", url=sink.url, events="task.created", paused=True)
    for number in range(7):
        client.tasks.create(f"Load {number}")
    while len(found := list(client.webhooks.deliveries("ops", page_size=3))) < 7:
        pass
    assert [one.id for one in found] == sorted((one.id for one in found), reverse=True)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "ftp://example.com/"}, "url"),
        ({"url": "http://example.com/"}, "url"),
        ({"url": "https://user:hunter2@example.com/"}, "url"),
        ({"events": []}, "events"),
        ({"events": ["task"]}, "events[0]"),
        ({"events": ["task.*.x"]}, "events[0]"),
        ({"format": "mail"}, "format"),
        ({"secret": "whsec_short"}, "secret"),
        ({"unknown": 1}, None),
    ],
)
def test_what_does_not_fit_is_refused_with_its_field(told: Server, body: dict[str, Any], field: str | None) -> None:
    given = {"name": "ops", "url": "https://example.com/", "events": ["*"], **body}
    answer = told.client.post("/api/webhooks", json=given)
    assert answer.status_code == 400
    assert answer.json().get("field") == field
    assert "hunter2" not in answer.text


def test_name_is_unique_and_unknown_ones_are_not_found(client: milepost.Client, told: Server) -> None:
    client.webhooks.create("ops", url="https://example.com/", events="*", paused=True)
    with pytest.raises(ConflictError, match="already"):
        client.webhooks.create("ops", url="https://example.com/", events="*")
    with pytest.raises(InvalidRequestError):
        client.webhooks.create("other", url="https://127.0.0.1@example.com/", events="*")
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/test"), ("GET", "/deliveries"), ("POST", "/rotate")):
        assert told.client.request(method, f"/api/webhooks/nobody{path}").status_code == 404


def test_secrets_are_shown_once_and_sealed_on_disk(client: milepost.Client, told: Server, tmp_path: Any) -> None:
    url = "https://hooks.slack.com/services/T0/B0/verysecret"
    made = client.webhooks.create("chat", url=url, events="*", format="slack", paused=True)
    shown = told.client.get("/api/webhooks/chat").text + told.client.get("/api/webhooks").text
    assert made.secret not in shown
    assert "verysecret" not in shown
    files = [path for path in (tmp_path / "data").iterdir() if path.is_file() and path.name != KEY_FILE]
    kept = b"".join(path.read_bytes() for path in files)
    assert b"verysecret" not in kept
    assert made.secret.encode() not in kept


def test_event_types_are_listed(told: Server) -> None:
    types = {one["type"] for one in told.get("/api/webhooks/events")["types"]}
    assert {"task.failed", "run.lost", "ask.alarmed", "schedule.missed", "webhook.disabled"} <= types


def test_commands_make_try_and_show_a_webhook(run: Callable[..., Any], sink: Sink) -> None:
    made = run("webhook", "create", "ops", "--url", sink.url, "--event", "task.*", "--event", "run.failed")
    assert made.exit_code == 0, made.output
    assert "whsec_" in made.output
    assert "delivered: answered 204" in run("webhook", "test", "ops").output
    assert "webhook.test" in run("webhook", "deliveries", "ops").output
    assert "task.*, run.failed" in run("webhook", "show", "ops").output
    assert run("webhook", "update", "ops", "--tag", "nightly").exit_code == 0
    assert "nightly" in run("webhook", "show", "ops").output
    assert run("webhook", "update", "ops", "--tag", "").exit_code == 0
    assert "nightly" not in run("webhook", "show", "ops", "--json").output
    assert "paused" in run("webhook", "pause", "ops", "--reason", "moved").output
    assert "active" in run("webhook", "resume", "ops").output
    assert "not shown again" in run("webhook", "rotate", "ops", "--overlap", "2h").output
    assert "0 deliveries" in run("webhook", "replay", "ops", "--since", "-1h").output
    assert run("webhook", "delete", "ops", "--yes").exit_code == 0
    assert "there are no webhooks" in run("webhook", "list").output


def test_command_of_a_test_that_does_not_arrive_fails(run: Callable[..., Any], sink: Sink) -> None:
    sink.reply = lambda _: Reply(503)
    run("webhook", "create", "ops", "--url", sink.url, "--event", "*", "--paused")
    done = run("webhook", "test", "ops")
    assert done.exit_code == 1
    assert "failed: answered 503" in done.output


def test_commands_say_what_is_missing(run: Callable[..., Any]) -> None:
    assert run("webhook", "create", "ops", "--url", "https://example.com/").exit_code == 2
    assert run("webhook", "replay", "ops").exit_code == 2
    assert "there is no webhook 'nobody'" in run("webhook", "show", "nobody").output
    assert "webhook_allow_hosts" in run("webhook", "create", "x", "--url", "http://127.0.0.1:9/", "--event", "*").output
