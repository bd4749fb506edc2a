"""Asking people from a run that no task of the controller stands behind: the code waits where it is.

It waits by requests that the collector answers when there is something to say, each bounded, one after the other; so a
collector may be restarted meanwhile. The ask is durable there and known by the run and its key.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from milepost._api import current_own
from milepost._asks import (
    Approval,
    KeyLedger,
    Reply,
    approval_asked,
    approval_of,
    question_asked,
    reply_of,
    told,
)
from milepost._http import AwaitedSender, BlockingSender
from milepost._log import Throttle
from milepost._span import Run, Task
from milepost.errors import ApprovalExpired, UnavailableError
from milepost.resources import _asks
from milepost.resources._exchange import Flow, Sleep
from milepost.resources._operation import Operation
from milepost.wire.asks import Answer, Ask, AskCreate, AskDefinition

if TYPE_CHECKING:
    from milepost._config import Config

__all__ = ["Answerer", "aask", "aask_approval", "ask", "ask_approval", "set_answerer"]

logger = logging.getLogger("milepost")

Answerer = Callable[[AskDefinition], Answer]

AWAY_PAUSE_S = 1.0
AWAY_S = 60.0  # beyond an ask's own timeout
_KINDS = {"approval": "approval", "question": "assistance"}  # of spans

_answerer: Answerer | None = None
_throttle = Throttle()


def set_answerer(answerer: Answerer | None) -> Answerer | None:
    """Let a function answer all asks of runs instead of people, in tests; return the one that did before."""
    global _answerer
    before, _answerer = _answerer, answerer
    return before


def ask_approval(run: Run, title: str, details: str, **more: Any) -> Approval:
    """Ask for an approval; see `Run.ask_approval`."""
    return approval_of(_answer(run, approval_asked(title, details, _keys(run), **more)))


async def aask_approval(run: Run, title: str, details: str, **more: Any) -> Approval:
    """Ask for an approval; see `Run.aask_approval`."""
    return approval_of(await _aanswer(run, approval_asked(title, details, _keys(run), **more)))


def ask(run: Run, question: str, details: str, *, schema: Any, **more: Any) -> Reply[Any]:
    """Ask a question; see `Run.ask`."""
    return reply_of(_answer(run, question_asked(question, details, _keys(run), schema=schema, **more)), schema)


async def aask(run: Run, question: str, details: str, *, schema: Any, **more: Any) -> Reply[Any]:
    """Ask a question; see `Run.aask`."""
    asked = question_asked(question, details, _keys(run), schema=schema, **more)
    return reply_of(await _aanswer(run, asked), schema)


def _answer(run: Run, ask: AskDefinition) -> Answer:
    """Put an ask to a person, wait for the answer and return it."""
    _refuse_on_loop()
    with _span(run, ask) as span:
        if _answerer is not None:
            return _ended(ask, span, _answerer(ask))
        sender = BlockingSender(*_way(run._producer.config))
        try:
            closed = sender.run(_asking(_request(run, span, ask), sender.ask, sender.timeout_s))
        finally:
            sender.close()
        return _ended(ask, span, _answer_of(closed))


async def _aanswer(run: Run, ask: AskDefinition) -> Answer:
    with _span(run, ask) as span:
        if _answerer is not None:
            return _ended(ask, span, _answerer(ask))
        sender = AwaitedSender(*_way(run._producer.config))
        try:
            closed = await sender.run(_asking(_request(run, span, ask), sender.ask, sender.timeout_s))
        finally:
            await sender.close()
        return _ended(ask, span, _answer_of(closed))


def _keys(run: Run) -> KeyLedger:
    if run._ask_keys is None:
        run._ask_keys = KeyLedger()
    return run._ask_keys


def _span(run: Run, ask: AskDefinition) -> Task:
    """Begin the span that shows the wait: where the calling code is, if that is in the run."""
    if run._is_served:
        raise RuntimeError("this run is an attempt of a task; use ctx.ask_approval or ctx.ask, which hold no slot")
    own = current_own()
    parent = own if own is not None and own._run_id == run._run_id else run
    return parent.start_task(ask.title, input=ask.action, kind=_KINDS[ask.kind])


def _request(run: Run, span: Task, ask: AskDefinition) -> AskCreate:
    agent = run._agent or run._producer.config.agent_name
    given = {name: getattr(ask, name) for name in ask.__struct_fields__}
    return AskCreate(**given, run_id=run.run_id, span_id=span.span_id, agent=agent[:200] if agent else None)


def _asking(request: AskCreate, send: Callable[[Operation[Ask]], Flow[Ask]], patience_s: float) -> Flow[Ask]:
    """Open an ask and wait until it is closed, however often the collector goes away for a while."""
    away_s = None if request.timeout_ms is None else request.timeout_ms / 1_000 + AWAY_S
    began = time.monotonic()
    while True:
        try:
            opened = yield from send(_asks.create(request))
            break
        except UnavailableError as error:
            if away_s is not None and time.monotonic() - began > away_s:
                raise
            if _throttle.is_open():
                logger.warning("an ask waits for the collector: %s", error)
            yield Sleep(AWAY_PAUSE_S)
    if opened.status != "open":
        return opened
    return (
        yield from _asks.waiting(
            opened, timeout_s=None, patience_s=patience_s, send=send, clock=time.monotonic, away_s=away_s
        )
    )


def _answer_of(ask: Ask) -> Answer:
    assert ask.answer is not None  # it is closed
    return ask.answer


def _ended(ask: AskDefinition, span: Task, found: Answer) -> Answer:
    span.complete(told(found))
    if found.status == "expired" and ask.on_expiry == "fail":
        raise ApprovalExpired(found.ask_id, ask.title)
    return found


def _way(config: Config) -> tuple[str, float]:
    return config.endpoint, config.request_timeout_ms / 1_000


def _refuse_on_loop() -> None:
    """Refuse to block an event loop, if the calling code runs on one."""
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError("this would block the event loop; await aask_approval or aask instead")
