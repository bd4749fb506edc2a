"""Asking people from a handler: the attempt ends, and a later one goes on with the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from milepost._asks import (
    Approval,
    ApprovalFields,
    AskFields,
    KeyLedger,
    Reply,
    approval_asked,
    approval_of,
    question_asked,
    reply_of,
    told,
)
from milepost._client import start_task_here
from milepost.wire.asks import Answer, AskDefinition, digest_of_action

if TYPE_CHECKING:
    from milepost.agents.attempt import Attempt

__all__ = ["Asking"]

T = TypeVar("T")


class Asking:
    """The part of a handler's context that asks people.

    An ask that nobody has answered yet ends the attempt by `milepost.TaskSuspended`, so that while it waits no slot, no
    process and no timeout is held; the task is in review. The answer puts it back into the queue, and the next attempt
    executes the handler from its beginning: its asks return their answers, its steps and last checkpoint are there.

    An ask is known by its key, so it is asked once however often its code is executed; `key` is the title unless it is
    given, and from the second ask with the same title on also its number. Asking the same with another action
    invalidates what was asked, and approved, before. Answers hold until the task is finished: `run` and `retry` ask
    anew.
    """

    _attempt: Attempt
    _keys: KeyLedger

    def ask_approval(self, title: str, details: str = "", **more: Unpack[ApprovalFields]) -> Approval:
        """Ask for an approval, and return what became of it; while nothing has, the attempt ends here.

        details: Markdown. action: what will be done, JSON; approvers may edit it: do what `Approval.action` says.
        options: ways to approve, or `AskOption`s some of which reject. timeout: seconds. approvers: names of people, or
        `team:NAME`; none: anybody. quorum: how many different people must approve. on_expiry: what becomes of the task:
        it goes on and is told (`continue`), fails (`fail`) or is cancelled (`cancel`). schema: a JSON Schema, or a
        type, that an edited action must fit. key: see the class.

        Raises:
            TaskSuspended: it waits for the answer; let it pass.
            TaskStopped: the attempt is to stop.
            ReportRefusedError: the action cannot be written as JSON, or is too large.
            ValueError: an argument is out of range.
        """
        return approval_of(self._answer(approval_asked(title, details, self._keys, **more), "approval"))

    async def aask_approval(self, title: str, details: str = "", **more: Unpack[ApprovalFields]) -> Approval:
        """Do what `ask_approval` does, from asynchronous code."""
        return self.ask_approval(title, details, **more)

    @overload
    def ask(self, question: str, details: str = "", *, schema: type[T], **more: Unpack[AskFields]) -> Reply[T]: ...
    @overload
    def ask(
        self,
        question: str,
        details: str = "",
        *,
        schema: Mapping[str, Any] | None = None,
        **more: Unpack[AskFields],
    ) -> Reply[Any]: ...
    def ask(self, question: str, details: str = "", *, schema: Any = None, **more: Unpack[AskFields]) -> Reply[Any]:
        """Ask a question, and return what became of it; while nothing has, the attempt ends here.

        schema: a JSON Schema (2020-12) that the answer must fit, or a type that it is made into: a dataclass, a
        `msgspec.Struct`, a model of pydantic, `int`, `list[str]`, …; None: any JSON. options, timeout, approvers,
        on_expiry and key as in `ask_approval`.

        Raises:
            TaskSuspended: it waits for the answer; let it pass.
            TaskStopped: the attempt is to stop.
            TypeError: the type has no JSON Schema.
            ValueError: an argument is out of range.
        """
        asked = question_asked(question, details, self._keys, schema=schema, **more)
        return reply_of(self._answer(asked, "assistance"), schema)

    @overload
    async def aask(
        self, question: str, details: str = "", *, schema: type[T], **more: Unpack[AskFields]
    ) -> Reply[T]: ...
    @overload
    async def aask(
        self,
        question: str,
        details: str = "",
        *,
        schema: Mapping[str, Any] | None = None,
        **more: Unpack[AskFields],
    ) -> Reply[Any]: ...
    async def aask(
        self, question: str, details: str = "", *, schema: Any = None, **more: Unpack[AskFields]
    ) -> Reply[Any]:
        """Do what `ask` does, from asynchronous code."""
        return self.ask(question, details, schema=schema, **more)

    def _answer(self, ask: AskDefinition, kind: str) -> Answer:
        """Return the answer that came with the lease, or end the attempt by asking."""
        self._attempt.check()
        answer = self._known(ask)
        span = start_task_here(ask.title, ask.action, kind, None)
        if answer is None:
            span.cancel("asked; a later attempt goes on with the answer")
            self._attempt.suspend(ask)
        span.complete(told(answer))
        return answer

    def _known(self, ask: AskDefinition) -> Answer | None:
        digest = digest_of_action(ask.action)
        for answer in self._attempt.lease.answers:
            if (answer.key, answer.action_digest) == (ask.key, digest):
                return answer
        return None
