"""An agent that triages issues as GitHub tells of them, and another that looks at triages that fail.

Shows: a webhook trigger with GitHub's signature, conditions and a mapping; a delivery that comes twice and makes one
task; one that nobody signed; a payload that is tried before anybody sends it; an event trigger with a search; the log.

    python examples/github_triage.py

Needs a collector (`milepost serve`); MILEPOST_ENDPOINT names one elsewhere than at http://127.0.0.1:4600. GitHub itself
is not asked: `deliver` signs the payload as GitHub documents it, and sends it to the trigger's address.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import time
from typing import Any

import httpx

import milepost
from milepost.wire.triggers import Trigger, TriggerSecret

WORDS = {"crash": "bug", "fails": "bug", "slow": "performance", "how": "question"}

agent = milepost.Agent("triage-agent")


@agent.task("Triage Issue")
def triage(ctx: milepost.TaskContext, number: int, title: str, labels: list[str]) -> dict[str, Any]:
    if not title.strip():
        raise ValueError(f"issue {number} has no title")
    found = {label for word, label in WORDS.items() if word in title.lower()}
    ctx.log("issue triaged", number=number, labels=sorted(found))
    return {"number": number, "labels": sorted({*labels, *found})}


@agent.task("Look At Failure")
def look(ctx: milepost.TaskContext, task_id: str, error: str) -> str:
    return f"task {task_id} failed: {error}"


def issue_event(number: int, title: str, action: str = "opened") -> dict[str, Any]:
    """Return what matters here of the payload that GitHub documents for the event `issues`."""
    return {
        "action": action,
        "issue": {"number": number, "title": title, "state": "open", "labels": [{"name": "inbox"}]},
        "repository": {"full_name": "octo-org/octo-repo"},
        "sender": {"login": "octocat"},
    }


def deliver(client: milepost.Client, made: TriggerSecret, payload: Any, delivery: str) -> dict[str, Any]:
    """Send a payload as GitHub does, and return what it is answered."""
    body = json.dumps(payload).encode()
    signature = hmac.new((made.secret or "").encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": f"sha256={signature}",
    }
    address = client.config.endpoint.rstrip("/") + (made.trigger.path or "")
    answer: dict[str, Any] = httpx.post(address, content=body, headers=headers, timeout=30).json()
    return answer


def make_triggers(client: milepost.Client) -> tuple[TriggerSecret, Trigger]:
    """Make both triggers anew: their names are unique."""
    for name in ("github-issues", "failed-triage"):
        with contextlib.suppress(milepost.NotFoundError):
            client.triggers.delete(name)
    hook = client.triggers.create(
        "github-issues",
        signature="github",
        task={"name": "Triage Issue", "agent": "triage-agent", "settings": {"max_retries": 0}},
        conditions=[
            {"header": "X-GitHub-Event", "equals": "issues"},
            {"pointer": "/action", "one_of": ["opened", "reopened"]},
        ],
        mapping=[
            {"name": "number", "pointer": "/issue/number", "required": True},
            {"name": "title", "pointer": "/issue/title", "required": True},
            {"name": "labels", "value": []},
        ],
        description_from="/issue/title",
    )
    failure = client.triggers.create(
        "failed-triage",
        event="task.failed",
        where='name:"Triage Issue"',
        task={"name": "Look At Failure", "agent": "triage-agent"},
        mapping={"task_id": "/task/id", "error": "/task/error_message"},
    )
    return hook, failure.trigger


def first_task(client: milepost.Client, trigger: Trigger, within_s: float = 20.0) -> str:
    """Return the first task that an event made; it follows the event within a moment."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        for event in client.triggers.events(trigger, outcome="accepted"):
            return event.task_id or ""
        time.sleep(0.05)
    raise TimeoutError(f"{trigger.name} was not fired within {within_s:g} s")


def main() -> None:
    client = milepost.Client()
    hook, failure = make_triggers(client)
    print("would make:", client.triggers.try_out(hook.trigger, issue_event(1, "It fails")).outcome)
    with agent.serve_in_background():
        issue = issue_event(7, "The report fails at night")
        first = deliver(client, hook, issue, "72d3162e-cc78-11e3-81ab-4c9367dc0958")
        again = deliver(client, hook, issue, "72d3162e-cc78-11e3-81ab-4c9367dc0958")
        print("delivered twice:", first["outcome"], again["outcome"], first["task_id"] == again["task_id"])
        print("closed:", deliver(client, hook, issue_event(7, "…", action="closed"), "0b989ba4")["outcome"])
        forged = TriggerSecret(trigger=hook.trigger, secret="not the secret")
        print("forged:", deliver(client, forged, issue_event(8, "Free money"), "1c0e4f1a")["status"])
        untitled = deliver(client, hook, issue_event(9, " "), "5e4c1f2b")
        tasks = [client.tasks.wait(first["task_id"], timeout_s=60)]
        failed = client.tasks.wait(untitled["task_id"], timeout_s=60, check=False)
        tasks.append(client.tasks.wait(first_task(client, failure), timeout_s=60))
    for event in client.triggers.events(hook.trigger):
        print(f"  {event.at:%H:%M:%S} UTC  {event.outcome:9}  {event.reason or event.delivery_id}")
    client.triggers.disable(hook.trigger)  # nobody of this example is left to do its tasks
    client.triggers.disable(failure)
    print(f"failed, and looked at: {failed.name} ({failed.id}): {failed.error_message}")
    for task in tasks:
        print(f"task {task.id} {task.name}: {task.result}")


if __name__ == "__main__":
    main()
