"""Runs as agents make them, in three sizes, and a list of ten thousand: what the viewer is measured on."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import msgspec

BASE_TIME = 1_795_000_000_000_000_000  # Unix ns; when does not matter to any figure
MS = 1_000_000
BATCH = 5_000
ERROR_SHARE = 0.02
AGENT_SPANS = 370  # of one sub-agent, about; a run of 100,000 spans has 270 of them
STEP_SPANS = 12
TOOLS = ("read_file", "search_code", "run_tests", "edit_file", "web_search", "query_database")
MODELS = ("gpt-4o-mini", "gpt-4o", "claude-sonnet-4-5")

Span = dict[str, Any]


def agent_run(run_id: str, spans: int, base: int = BASE_TIME, seed: int = 7) -> Iterator[Span]:
    """Yield the ends of a run's spans, about as many as asked for; parents first.

    Agents, steps, calls of models and tools: seven levels, two hours and more for a large one, two failures in a
    hundred, with bursts and waits. base: when it starts, Unix ns.
    """
    made = _Maker(run_id, base, random.Random(seed))
    root = made.next_id()
    left, at, number = spans - 1, 0.0, 0
    children: list[Span] = []
    while left > 0:
        size = min(left, AGENT_SPANS)
        begin, at = at, at + size * 70.0
        children += made.agent(root, f"researcher-{number}", begin, size)
        left -= size
        number += 1
        at += made.random.choice((0, 40, 900, 30_000))
    yield made.span(root, None, "orchestrator", "agent", 0.0, at)
    yield from children


class _Maker:
    """Makes spans of one run; times are milliseconds after its start."""

    def __init__(self, run_id: str, base: int, numbers: random.Random) -> None:
        self.run_id = run_id
        self.base = base
        self.random = numbers

    def next_id(self) -> str:
        return f"{self.random.getrandbits(64):016x}"

    def agent(self, parent: str, name: str, begin: float, size: int) -> list[Span]:
        """Return a sub-agent: plan and phases below it, steps in these, calls in steps."""
        top = self.next_id()
        plan = self.next_id()
        made = [
            self.span(top, parent, name, "agent", begin, begin + size * 65.0),
            self.span(plan, top, f"plan of {name}", "task", begin, begin + size * 64.0),
        ]
        at = begin
        while len(made) < size:
            made += self.step(plan, f"step {len(made) // STEP_SPANS}", at, min(STEP_SPANS, size - len(made)))
            at += STEP_SPANS * 62.0
        return made

    def step(self, parent: str, name: str, begin: float, size: int) -> list[Span]:
        """Return one step: a call of a model, then tools, some of which ask models or the network."""
        step, turn = self.next_id(), self.next_id()
        made = [self.span(step, parent, name, "task", begin, begin + 700)]
        if size > 1:
            made.append(self.span(turn, step, "turn", "step", begin, begin + 690))
        for place in range(max(0, size - 2)):
            at = begin + 5 + place * 60
            if place % 4 == 0:
                made.append(self.call(turn, at))
            else:
                made.append(self.tool(turn if place % 4 == 1 else made[-1]["span_id"], at))
        return made

    def call(self, parent: str, at: float) -> Span:
        model = self.random.choice(MODELS)
        counts = {
            "model": model,
            "input_tokens": self.random.randint(200, 9_000),
            "output_tokens": self.random.randint(20, 900),
        }
        return {**self.span(self.next_id(), parent, f"chat {model}", "llm", at, at + 50), "usage": [counts]}

    def tool(self, parent: str, at: float) -> Span:
        return self.span(self.next_id(), parent, self.random.choice(TOOLS), "tool", at, at + self.random.uniform(2, 48))

    def span(self, span_id: str, parent: str | None, name: str, kind: str, begin: float, end: float) -> Span:
        failed = kind == "tool" and self.random.random() < ERROR_SHARE * 2
        return {
            "type": "span_ended",
            "run_id": self.run_id,
            "span_id": span_id,
            "parent_span_id": parent,
            "name": name,
            "kind": kind,
            "start_time": self.base + int(begin * MS),
            "end_time": self.base + int(end * MS),
            "input": {"asked": f"question of {span_id}"},
            **({"status": "failed", "error_type": "ToolError", "error_message": "exit code 1"} if failed else {}),
        }


def many_runs(count: int) -> Iterator[Span]:
    """Yield the roots of small runs, one after the other."""
    numbers = random.Random(11)
    for number in range(count):
        begin = BASE_TIME + number * 1_000 * MS
        yield {
            "type": "span_ended",
            "run_id": f"{numbers.getrandbits(128):032x}",
            "span_id": f"{numbers.getrandbits(64):016x}",
            "name": f"nightly report {number % 40}",
            "kind": "agent",
            "agent": f"agent-{number % 7}",
            "start_time": begin,
            "end_time": begin + numbers.randint(100, 90_000) * MS,
            **({"status": "failed", "error_type": "TimeoutError"} if number % 50 == 0 else {}),
        }


class Sender:
    """Sends wire events as one producer."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=300)
        self._producer = uuid.uuid4().hex
        self._sequence = 0

    def send(self, events: Sequence[Span]) -> None:
        """Send one batch; it is committed when this returns."""
        batch = {"producer_id": self._producer, "sequence": self._sequence, "events": events, "resource": {}}
        self._sequence += 1
        content = msgspec.msgpack.encode(batch)
        answer = self._client.post("/v1/events", content=content, headers={"content-type": "application/msgpack"})
        if answer.status_code != 200 or msgspec.msgpack.decode(answer.content)["rejected"]:
            raise RuntimeError(f"the collector refused a batch: {answer.status_code} {answer.text[:300]}")

    def send_all(self, events: Iterator[Span]) -> int:
        """Send everything; return how many events there were."""
        total, part = 0, []
        for event in events:
            part.append(event)
            if len(part) == BATCH:
                self.send(part)
                total, part = total + len(part), []
        if part:
            self.send(part)
        return total + len(part)
