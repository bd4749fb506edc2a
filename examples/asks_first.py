"""An agent that asks before it spends, and holds nothing while it waits for the answer.

Shows: a plan that is made once, an approval that is bound to what is bought, an approver who makes it cheaper, a
question with a typed answer, and the attempts that each ask ends.

    python examples/asks_first.py

Needs a collector (`milepost serve`); MILEPOST_ENDPOINT names one elsewhere than at http://127.0.0.1:4600. The program
plays the people; run `milepost agent run asks_first:agent` instead to answer yourself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import milepost
from milepost.wire.asks import Ask

PRICE_USD = {"paper": 4.5, "lamp": 39.0}

agent = milepost.Agent("buying-agent")


@dataclass
class Delivery:
    """Where it goes. floor: 0 is the ground."""

    street: str
    floor: int


def price(item: str, number: int) -> float:
    """What only the first attempt does: its result is remembered."""
    return PRICE_USD[item] * number


@agent.task("Buy Supplies")
def buy(ctx: milepost.TaskContext, item: str, number: int) -> dict[str, object]:
    total = ctx.step("price", price, item, number)
    approval = ctx.ask_approval(
        f"Buy {number} × {item} for {total:.2f} USD?",
        "The **office** has none left.",
        action={"item": item, "number": number, "usd": total},
        approvers=["ann", "team:finance"],
        timeout=3600,
    )
    if not approval:
        return {"bought": 0, "because": approval.reason or approval.status}
    delivery = ctx.ask("Where to?", schema=Delivery, approvers=["ben"])
    bought = approval.action  # as it was approved, which may be less than what was asked for
    assert delivery.value is not None
    return {"bought": bought["number"], "usd": bought["usd"], "floor": delivery.value.floor, "approved by": approval.by}


def next_ask(client: milepost.Client, task_id: str, status: Callable[[], str]) -> Ask | None:
    """Return what a task asks next; None when it is finished."""
    pause = threading.Event()
    while status() not in ("completed", "failed", "cancelled"):
        for ask in client.asks.list(task_id=task_id, status="open"):
            return ask
        pause.wait(0.05)
    return None


def answer_as_people_would(client: milepost.Client, task_id: str) -> None:
    """Ann makes it cheaper, Ben says where it goes."""
    while ask := next_ask(client, task_id, lambda: client.tasks.get(task_id).status):
        print(f"asked: {ask.title} ({client.tasks.get(task_id).status})", flush=True)
        if ask.kind == "question":
            client.asks.answer(ask, {"street": "Harbour 1", "floor": 2}, by="ben")
        else:
            less = {**ask.action, "number": 2, "usd": ask.action["usd"] / 5}
            client.asks.edit(ask, less, by="ann", reason="two will do", action_digest=ask.action_digest)


def main() -> None:
    client = milepost.Client()
    task = client.tasks.create("Buy Supplies", agent="buying-agent", input={"item": "lamp", "number": 10})
    with agent.serve_in_background(concurrency=1):
        answer_as_people_would(client, task.id)
        done = client.tasks.wait(task, timeout_s=60)
    for attempt in reversed(client.tasks.list_runs(task).attempts):
        print(f"attempt {attempt.attempt}: {attempt.status}" + (f", {attempt.reason}" if attempt.reason else ""))
    print(f"task {task.id} {task.name}")
    print(f"{done.result['bought']} bought for {done.result['usd']:.2f} USD, approved by {done.result['approved by']}")


if __name__ == "__main__":
    main()
