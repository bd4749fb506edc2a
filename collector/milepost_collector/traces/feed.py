"""What live viewers are told: after every commit, in deltas, a few times a second; a gap is said to be one.

Messages are made once per tick and shared by all subscribers. A subscriber that was away for a moment resumes after the
last message it saw; one that was away too long, or reads too slowly, gets `reset` and fetches everything anew.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field

import anyio.to_thread
import duckdb
import msgspec

from milepost._version import __version__
from milepost_collector.protocol.api import LiveHello, LiveRuns, RunSummary
from milepost_collector.protocol.managed import AskFact, TransitionFact
from milepost_collector.protocol.timestamps import iso_from_ns
from milepost_collector.storage import Database
from milepost_collector.traces.commit import Clock, Delta
from milepost_collector.traces.messages import events_messages, spans_messages
from milepost_collector.traces.queries import RunIndex, read_only, run_summaries
from milepost_collector.traces.task_messages import asks_message, tasks_message

logger = logging.getLogger("milepost.live")

TICK_S = 0.05  # between messages at most this often: an event is on screen well within 150 ms
TASKS = "tasks"  # stands for the transitions of tasks among the ids of runs that are followed
ASKS = "asks"  # and this for what happens to asks
MAX_FACTS_PER_TICK = 2_000  # of tasks, of asks: beyond it a list is quicker fetched anew than told about
RUNS_PER_TICK = 100  # summaries made at once; the rest follow with the next tick
MAX_RUNS_BEHIND = 2_000  # beyond it a list is quicker fetched anew than told about
RUNS_SHARE = 5  # a summary query that took t is followed by 4 t without one, so that watching costs a fifth of a core
KEEP_TICKS = 600  # half a minute of constant change to resume after
KEEP_BYTES = 32 * 1024 * 1024
RECORD_AFTER_LAST_S = 60.0  # so long after the last subscriber left, ticks are kept for its return
RECORD_AHEAD_S = 15.0  # so long after a position was named, ticks are kept for whoever follows from there
MAX_UNREAD_TICKS = 200


@dataclass(frozen=True, slots=True)
class LiveMessage:
    """One server-sent event. id: where a reader that has it may resume. data: JSON."""

    id: str
    event: str
    data: bytes


@dataclass(slots=True)
class Tick:
    """What changed in one tick, ready to be sent: the messages of the run list, tasks and asks, and of each run."""

    sequence: int
    runs: bytes | None = None
    runs_reset: bool = False
    tasks: bytes | None = None
    tasks_reset: bool = False
    asks: bytes | None = None
    asks_reset: bool = False
    of_run: dict[str, list[tuple[str, bytes]]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes held."""
        of_runs = sum(len(data) for parts in self.of_run.values() for _, data in parts)
        return len(self.runs or b"") + len(self.tasks or b"") + len(self.asks or b"") + of_runs

    @property
    def is_empty(self) -> bool:
        """Whether it tells nobody anything."""
        resets = self.runs_reset or self.tasks_reset or self.asks_reset
        return not (self.runs or self.tasks or self.asks or self.of_run or resets)


@dataclass(frozen=True, slots=True)
class Recording:
    """That ticks tell about a run or the list: since the tick after `since`, and until when once nobody follows."""

    since: int
    until_s: float = float("inf")


@dataclass(eq=False, slots=True)
class Subscriber:
    """One live viewer. unread: ticks it has not taken yet; lagging: it missed some."""

    runs: bool
    run_id: str | None
    tasks: bool = False
    asks: bool = False
    unread: deque[Tick] = field(default_factory=deque)
    lagging: bool = False
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def wants(self) -> set[str | None]:
        """What it follows; None stands for the run list."""
        wants: set[str | None] = {None} if self.runs else set()
        wants |= {self.run_id} if self.run_id else set()
        return wants | ({TASKS} if self.tasks else set()) | ({ASKS} if self.asks else set())

    def hand(self, tick: Tick) -> None:
        """Give it a tick, or note that it reads too slowly."""
        if len(self.unread) >= MAX_UNREAD_TICKS:
            self.unread.clear()
            self.lagging = True
        self.unread.append(tick)
        self.ready.set()


class LiveFeed:
    """Tells subscribers what commits changed. `publish` may be called from any thread, the rest on the event loop."""

    def __init__(self, database: Database, index: RunIndex, clock: Clock) -> None:
        self._database = database
        self._index = index
        self._clock = clock
        self._boot = secrets.token_hex(4)  # numbers of an earlier process mean nothing
        self._sequence = 0
        self._kept: deque[Tick] = deque()
        self._kept_bytes = 0
        self._subscribers: set[Subscriber] = set()
        self._wanted: dict[str | None, Recording] = {}  # runs followed; None: the run list
        self._deltas: list[Delta] = []
        self._transitions: list[TransitionFact] = []
        self._ask_events: list[AskFact] = []
        self._runs_behind: dict[str, None] = {}  # in order of arrival
        self._runs_due_s = 0.0
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def start(self) -> None:
        """Begin to tick."""
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run())

    async def stop(self) -> None:
        """End every subscription. Safe to call twice."""
        self._closed = True
        for subscriber in self._subscribers:
            subscriber.ready.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def publish(self, delta: Delta) -> None:
        """Take note of what a commit changed."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._collect, delta)

    def tell_tasks(self, transitions: Sequence[TransitionFact]) -> None:
        """Take note of what happened to tasks. Event loop only."""
        self._forget_unwanted()
        if TASKS in self._wanted:
            if len(self._transitions) <= MAX_FACTS_PER_TICK:  # else they will not be told anyway
                self._transitions += transitions
            self._changed.set()

    def tell_asks(self, events: Sequence[AskFact]) -> None:
        """Take note of what happened to asks. Event loop only."""
        self._forget_unwanted()
        if ASKS in self._wanted:
            if len(self._ask_events) <= MAX_FACTS_PER_TICK:
                self._ask_events += events
            self._changed.set()

    def position(self, *, runs: bool, run_id: str | None) -> str:
        """Return where to follow from to be told all that is committed from now on. Event loop only.

        A query that begins after this call has everything from before: with its answer and a subscription to the same
        things from here nothing is missed. Ticks are recorded for `RECORD_AHEAD_S`.
        """
        self._forget_unwanted()
        until_s = self._clock.monotonic() + RECORD_AHEAD_S
        for key in Subscriber(runs, run_id, asks=True).wants:  # whoever follows may want to hear of asks beside them
            known = self._wanted.get(key, Recording(self._sequence, until_s))
            self._wanted[key] = Recording(known.since, max(known.until_s, until_s))
        return f"{self._boot}-{self._sequence}"

    async def subscribe(
        self,
        *,
        runs: bool,
        run_id: str | None,
        last_event_id: str | None,
        tasks: bool = False,
        asks: bool = False,
        follow: bool = True,
    ) -> AsyncIterator[LiveMessage]:
        """Yield messages until the feed stops; the caller ends the subscription by closing the iterator.

        runs: tell about every run's summary. run_id: tell about this run's spans and events. last_event_id: where an
        earlier subscription ended. tasks: tell about every transition of a managed task. asks: tell what happens to
        asks. follow: without it, only what was missed since last_event_id is told; ticks go on being recorded for a
        while, so that asking again tells the rest.
        """
        subscriber = Subscriber(runs, run_id, tasks, asks)
        missed = self._missed(subscriber, last_event_id)
        replay = [message for tick in missed or () for message in self._messages_of(subscriber, tick)]
        self._subscribers.add(subscriber)
        for key in subscriber.wants:
            known = self._wanted.get(key)
            self._wanted[key] = Recording(self._sequence if known is None else known.since)
        try:
            yield self._message(self._first(missed or []), "hello", self._hello(len(replay)))
            if missed is None:
                yield self._message(self._sequence, "reset", b"{}")
            for message in replay:
                yield message
            while follow and not self._closed:
                for message in self._take(subscriber):
                    yield message
                await subscriber.ready.wait()
        finally:
            self._subscribers.discard(subscriber)
            still_wanted = {key for other in self._subscribers for key in other.wants}
            until_s = self._clock.monotonic() + RECORD_AFTER_LAST_S
            for key in subscriber.wants - still_wanted:
                self._wanted[key] = Recording(self._wanted[key].since, until_s)

    # --- from commits to ticks

    def _collect(self, delta: Delta) -> None:
        self._forget_unwanted()
        if self._wanted.keys() - {TASKS, ASKS}:
            self._deltas.append(delta)
            self._changed.set()

    def _forget_unwanted(self) -> None:
        now_s = self._clock.monotonic()
        self._wanted = {key: recording for key, recording in self._wanted.items() if recording.until_s > now_s}

    async def _run(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(TICK_S)
            deltas, self._deltas = self._deltas, []
            self._changed.clear()
            try:
                tick = await self._make_tick(deltas)
            except duckdb.Error as error:
                logger.warning("live summaries failed, viewers will fetch anew: %s", error)
                tick = Tick(0, runs_reset=True)
            self._add_facts(tick)
            self._send(tick)
            if self._runs_behind:
                self._changed.set()

    async def _make_tick(self, deltas: list[Delta]) -> Tick:
        tick = Tick(0)
        for run_id in self._wanted.keys() - {None, TASKS, ASKS}:
            assert run_id is not None  # the run list, which is not among them
            parts = [*spans_messages(run_id, deltas), *events_messages(run_id, deltas)]
            if parts:
                tick.of_run[run_id] = parts
        if None in self._wanted:
            for delta in deltas:
                self._runs_behind.update(dict.fromkeys(row[0] for row in (*delta.spans, *delta.starts)))
            if len(self._runs_behind) > MAX_RUNS_BEHIND:
                self._runs_behind.clear()
                tick.runs_reset = True
            tick.runs = await self._summaries()
        return tick

    def _add_facts(self, tick: Tick) -> None:
        transitions, self._transitions = self._transitions, []
        tick.tasks_reset = len(transitions) > MAX_FACTS_PER_TICK
        if transitions and not tick.tasks_reset:
            tick.tasks = tasks_message(transitions)
        events, self._ask_events = self._ask_events, []
        tick.asks_reset = len(events) > MAX_FACTS_PER_TICK
        if events and not tick.asks_reset:
            tick.asks = asks_message(events)

    async def _summaries(self) -> bytes | None:
        started_s = self._clock.monotonic()
        if started_s < self._runs_due_s or not self._runs_behind:
            return None
        run_ids = list(self._runs_behind)[-RUNS_PER_TICK:]
        for run_id in run_ids:
            del self._runs_behind[run_id]
        found = await anyio.to_thread.run_sync(self._query, run_ids)
        took_s = self._clock.monotonic() - started_s
        self._runs_due_s = started_s + RUNS_SHARE * took_s
        return msgspec.json.encode(LiveRuns(runs=found)) if found else None

    def _query(self, run_ids: list[str]) -> list[RunSummary]:
        with self._database.reader() as connection, read_only(connection):
            return run_summaries(connection, run_ids, self._index)

    def _send(self, tick: Tick) -> None:
        if tick.is_empty:
            return
        self._sequence += 1
        tick.sequence = self._sequence
        self._kept.append(tick)
        self._kept_bytes += tick.size
        while len(self._kept) > KEEP_TICKS or self._kept_bytes > KEEP_BYTES:
            self._kept_bytes -= self._kept.popleft().size
        for subscriber in self._subscribers:
            subscriber.hand(tick)

    # --- from ticks to messages

    def _take(self, subscriber: Subscriber) -> Iterable[LiveMessage]:
        subscriber.ready.clear()
        if subscriber.lagging:
            subscriber.lagging = False
            yield self._message(subscriber.unread[0].sequence - 1, "reset", b"{}")
        while subscriber.unread:
            yield from self._messages_of(subscriber, subscriber.unread.popleft())

    def _messages_of(self, subscriber: Subscriber, tick: Tick) -> Iterable[LiveMessage]:
        """Yield what a tick tells a subscriber. Whoever has not got the last of it resumes before the tick."""
        parts: list[tuple[str, bytes]] = []
        if (
            (subscriber.runs and tick.runs_reset)
            or (subscriber.tasks and tick.tasks_reset)
            or (subscriber.asks and tick.asks_reset)
        ):
            parts.append(("reset", b"{}"))
        if subscriber.tasks and tick.tasks:
            parts.append(("tasks", tick.tasks))
        if subscriber.asks and tick.asks:
            parts.append(("asks", tick.asks))
        if subscriber.runs and tick.runs:
            parts.append(("runs", tick.runs))
        parts += tick.of_run.get(subscriber.run_id or "", ())
        for place, (event, data) in enumerate(parts, start=1):
            yield self._message(tick.sequence if place == len(parts) else tick.sequence - 1, event, data)

    def _missed(self, subscriber: Subscriber, last_event_id: str | None) -> list[Tick] | None:
        """Return the ticks after an id; none for a new subscriber, None when some are gone."""
        if last_event_id is None:
            return []
        boot, _, rest = last_event_id.partition("-")
        number = rest.partition(".")[0]  # what follows counts the messages of one connection
        if boot != self._boot or not number.isdecimal():
            return None
        for key in subscriber.wants:
            recording = self._wanted.get(key)
            if recording is None or recording.since > int(number):
                return None  # ticks have not told about this all the time
        missed = [tick for tick in self._kept if tick.sequence > int(number)]
        return missed if len(missed) == self._sequence - int(number) else None

    def _first(self, missed: list[Tick]) -> int:
        return missed[0].sequence - 1 if missed else self._sequence

    def _hello(self, behind: int) -> bytes:
        return msgspec.json.encode(LiveHello(version=__version__, now=iso_from_ns(self._clock.wall()), behind=behind))

    def _message(self, sequence: int, event: str, data: bytes) -> LiveMessage:
        return LiveMessage(f"{self._boot}-{sequence}", event, data)
