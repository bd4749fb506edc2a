"""Triggers at work: deliveries taken, triggers kept, what came shown and done again."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import anyio.to_thread
import msgspec

from milepost.errors import MilepostError
from milepost.wire.triggers import (
    DryRunRequest,
    HookAnswer,
    ReplayRequest,
    RotateRequest,
    Trigger,
    TriggerCreate,
    TriggerDefinition,
    TriggerEvent,
    TriggerEventDetail,
    TriggerSecret,
    TriggerUpdate,
    TryAnswer,
    TryRequest,
)
from milepost_collector.controller.rows import TriggerRow
from milepost_collector.controller.service import Controller
from milepost_collector.controller.service.ids import Ids
from milepost_collector.controller.store.interface import Tx
from milepost_collector.errors import ConflictError, InvalidParameterError
from milepost_collector.secrets import Secrets
from milepost_collector.triggers import keeping, payloads, views
from milepost_collector.triggers.definitions import check, definition_of, show
from milepost_collector.triggers.errors import (
    DeliveryFailedError,
    DeliveryLimitedError,
    DeliveryRefusedError,
    TriggerChangedError,
)
from milepost_collector.triggers.mapping import request_of, why_filtered
from milepost_collector.triggers.recording import Content, Delivery, Done, note, record
from milepost_collector.triggers.registry import Known, Registry
from milepost_collector.triggers.signatures import (
    GIVEN_BY_SENDER,
    check_secret,
    delivery_id,
    new_secret,
    secret_headers,
    verify,
)

logger = logging.getLogger("milepost.triggers")

T = TypeVar("T")

IN_THREAD_BYTES = 32 * 1024  # larger bodies are read and sealed off the event loop
MAX_HEADERS = 100  # of a delivery, that are kept
MAX_HEADER_CHARACTERS = 1_000
NOTES_PER_MINUTE = 10  # lines about deliveries that were turned away; whoever sends them need not know any secret
CHANGES = 5  # in a row, of a trigger that is being delivered to, before that is given up


class Hook(NamedTuple):
    """An address that was asked for. hook_id: the part that nobody guesses."""

    known: Known
    hook_id: str

    @property
    def max_body_bytes(self) -> int:
        """How large a delivery may be."""
        return self.known.definition.max_body_bytes


class Incoming(NamedTuple):
    """A delivery as it came. headers: names in lower case."""

    headers: Mapping[str, str]
    body: bytes
    media_type: str


class Triggers:
    """Everything that is asked of triggers goes through here. Belongs to one event loop.

    clock: seconds since the Unix epoch, for signed times. clock_s: rises, for limits.
    """

    def __init__(
        self,
        controller: Controller,
        secrets: Secrets,
        *,
        clock: Callable[[], float] = time.time,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._controller = controller
        self._secrets = secrets
        self._clock = clock
        self._clock_s = clock_s
        self._ids = Ids(random.Random())
        self._ids_lock = threading.Lock()
        self._notes: dict[str, list[float]] = {}
        self._opened: dict[str, str] = {}
        self.registry = Registry(controller, clock_s)

    # Deliveries.

    async def hook(self, hook_id: str) -> Hook | None:
        """Return who is behind an address; None: nobody."""
        known = await self.registry.of_hook(hook_id, self._now_ms())
        return None if known is None else Hook(known, hook_id)

    async def receive(self, hook: Hook, incoming: Incoming) -> HookAnswer:
        """Take a delivery: once this returns it is durable.

        Raises:
            DeliveryRefusedError: it is not signed as it should be.
            DeliveryLimitedError: too many came.
            DeliveryFailedError: no task can be made of it.
            MalformedBodyError: it is neither JSON nor a form.
            TriggerChangedError: the trigger was changed again and again meanwhile, or taken away.
        """
        for _ in range(CHANGES):
            try:
                return await self._receive(hook, incoming)
            except TriggerChangedError:
                hook = await self._found_anew(hook.hook_id) or hook
        raise TriggerChangedError(f"trigger {hook.known.row.name!r} is being changed; send it again")

    async def _found_anew(self, hook_id: str) -> Hook | None:
        self.registry.expire()
        return await self.hook(hook_id)

    async def _receive(self, hook: Hook, incoming: Incoming) -> HookAnswer:
        await self._verify(hook.known, incoming)
        if len(incoming.body) < IN_THREAD_BYTES:
            read = self._read(hook.known, incoming)
        else:
            read = await anyio.to_thread.run_sync(self._read, hook.known, incoming)
        if isinstance(read, HookAnswer):
            return read
        return _answer(hook.known, await self.record(hook.known, read))

    async def record(self, known: Known, delivery: Delivery) -> Done:
        """Make durable what a delivery asks for.

        Raises:
            TriggerChangedError: the trigger is another by now.
        """
        row = known.row
        return await self._controller.write(lambda engine, tx: record(engine, tx, row.id, row.version, delivery))

    async def turned_away(self, hook: Hook, reason: str, size_bytes: int = 0) -> None:
        """Note a delivery that was turned away unread, a few times a minute: anybody could send it."""
        await self._note(hook.known.row, "refused", reason, size_bytes)

    async def _verify(self, known: Known, incoming: Incoming) -> None:
        signature = known.definition.signature
        assert signature is not None  # every webhook has one
        valid = await self._valid_secrets(known.row)
        try:
            verify(signature, valid, incoming.headers, incoming.body, now_s=self._clock())
        except DeliveryRefusedError as error:
            await self._note(known.row, "refused", str(error), len(incoming.body))
            raise

    async def _valid_secrets(self, row: TriggerRow) -> list[str]:
        sealed = [row.secret]
        if row.previous_until is not None and self._now_ms() < row.previous_until:
            sealed.append(row.previous_secret)
        return [await self._open(text) for text in sealed if text is not None]

    async def _open(self, sealed: str) -> str:
        if sealed not in self._opened:
            if len(self._opened) > 2_000:  # secrets that were rotated away
                self._opened.clear()
            self._opened[sealed] = await anyio.to_thread.run_sync(self._secrets.open, sealed)
        return self._opened[sealed]

    def _read(self, known: Known, incoming: Incoming) -> Delivery | HookAnswer:
        """Return what is to be recorded. The delivery is known to be from whom it should be."""
        signature = known.definition.signature
        assert signature is not None
        payload = payloads.parse(incoming.body, incoming.media_type)
        if signature.scheme == "slack" and (challenge := _challenge(payload)) is not None:
            return HookAnswer(outcome="filtered", reason="Slack asks whether the address is yours", challenge=challenge)
        kept = _kept_headers(incoming.headers, secret_headers(signature))
        same = delivery_id(signature, incoming.headers, payload, incoming.body)
        return self.delivery(known, same, payload, kept, incoming.body)

    def delivery(
        self,
        known: Known,
        same: str | None,
        payload: Any,
        headers: Mapping[str, str],
        body: bytes,
        *,
        depth: int = 0,
        replay_of: str | None = None,
        by: str | None = None,
    ) -> Delivery:
        """Return what a trigger makes of a payload. same: what makes two deliveries the same; None: nothing does. May
        be called from any thread."""
        wanted = _wanted(known.definition, known.row.name, payload, headers)
        keeps = wanted.outcome != "filtered" and known.definition.keep_payload_days > 0 and replay_of is None
        return Delivery(
            id=self._new_id(),
            delivery_id=same,
            request=wanted.task,
            outcome=wanted.outcome,
            reason=wanted.reason,
            content=self._content(headers, body) if keeps else None,
            size_bytes=len(body),
            depth=depth,
            replay_of=replay_of,
            by=by,
        )

    def _content(self, headers: Mapping[str, str], body: bytes) -> Content:
        # A body that was read is UTF-8, as JSON and forms are.
        return Content(headers=msgspec.json.encode(headers).decode(), body=self._secrets.seal(body.decode()))

    async def _note(self, row: TriggerRow, outcome: Any, reason: str, size_bytes: int) -> None:
        now_s = self._clock_s()
        recent = [at for at in self._notes.get(row.id, ()) if now_s - at < 60]
        self._notes[row.id] = recent
        if len(recent) >= NOTES_PER_MINUTE:
            return
        recent.append(now_s)
        event_id = self._new_id()
        try:
            await self._controller.write(
                lambda engine, tx: note(tx, row.id, event_id, outcome, reason, size_bytes=size_bytes)
            )
        except MilepostError as error:  # it is turned away all the same
            logger.warning("a delivery to trigger %s that was turned away is not in its log: %s", row.name, error)

    # Triggers.

    async def create(self, request: TriggerCreate) -> TriggerSecret:
        """Make a trigger; its secret is told this once.

        Raises:
            ConflictError: there is one of this name.
            InvalidParameterError: it contradicts itself.
        """
        check(request.kind, request)
        secret = _secret_for(request)
        new = keeping.New(id=self._new_id(), sealed_secret=await self._sealed(secret))
        made = await self._change(lambda tx: keeping.create(tx, request, new))
        given_by_us = request.secret is None and request.signature is not None
        shown = secret if given_by_us and request.signature.scheme not in GIVEN_BY_SENDER else None  # type: ignore[union-attr]
        return TriggerSecret(trigger=made, secret=shown)

    async def update(self, trigger: str, request: TriggerUpdate) -> Trigger:
        """Change a trigger."""
        return await self._change(lambda tx: keeping.update(tx, trigger, request))

    async def enable(self, trigger: str, enabled: bool) -> Trigger:
        """Let a trigger make tasks, or none."""
        return await self._change(lambda tx: keeping.enable(tx, trigger, enabled))

    async def rotate(self, trigger: str, request: RotateRequest) -> TriggerSecret:
        """Give a webhook a new secret, a new address, or both; a new secret is told this once.

        Raises:
            ConflictError: the sender makes this scheme's secrets, and none is given.
        """
        row = await self._controller.read(lambda tx: keeping.find(tx, trigger))
        signature = definition_of(row).signature
        secret = request.secret
        if signature is not None and (secret is not None or request.renew_secret):
            if secret is None and signature.scheme in GIVEN_BY_SENDER:
                raise ConflictError(f"secrets of {signature.scheme} are made there; give the new one as secret")
            secret = secret or new_secret(signature)
            check_secret(signature, secret)
        sealed = await self._sealed(secret)
        changed = await self._change(lambda tx: keeping.rotate(tx, trigger, request, sealed))
        return TriggerSecret(trigger=changed, secret=secret if request.secret is None else None)

    async def delete(self, trigger: str) -> None:
        """Remove a trigger and its log; its tasks stay."""
        row = await self._controller.read(lambda tx: keeping.find(tx, trigger))
        while await self._controller.write(lambda engine, tx: keeping.delete(tx, row.id)):
            pass
        self.registry.expire()

    async def get(self, trigger: str) -> Trigger:
        """Return a trigger by id or name."""
        return await self._controller.read(lambda tx: show(keeping.find(tx, trigger), tx.now))

    # What came.

    async def event(self, trigger: str, event_id: str) -> TriggerEventDetail:
        """Return a line of a trigger's log with what came."""
        detail, sealed = await self._controller.read(lambda tx: views.event(tx, trigger, event_id))
        if sealed is not None:
            detail.payload = await anyio.to_thread.run_sync(self._secrets.open, sealed)
        return detail

    async def replay(self, trigger: str, event_id: str, request: ReplayRequest) -> TriggerEvent:
        """Make the task of a delivery again, by the trigger as it is now.

        Raises:
            ConflictError: what came is not kept any more, or was not.
        """
        detail = await self.event(trigger, event_id)
        if detail.payload is None:
            raise ConflictError(f"the payload of {event_id} is not kept any more, so it cannot be replayed")
        known = Known(await self._controller.read(lambda tx: keeping.find(tx, trigger)))
        body = detail.payload.encode()
        kind = payloads.media_type(detail.headers.get("content-type"))
        delivery = self.delivery(
            known, None, payloads.parse(body, kind), detail.headers, body, depth=detail.depth, replay_of=event_id,
            by=request.by,
        )  # fmt: skip
        done = await self.record(known, delivery)
        if done.event_id is None:
            raise ConflictError(f"the replay made no task: {done.outcome}, {done.reason}")
        return await self.event(trigger, done.event_id)

    async def try_out(self, trigger: str, request: TryRequest) -> TryAnswer:
        """Return what a trigger would make of a payload; nothing is kept."""
        row = await self._controller.read(lambda tx: keeping.find(tx, trigger))
        if request.definition is not None:
            check(row.kind, request.definition)
        definition = request.definition or Known(row).definition
        return _wanted(definition, row.name, request.payload, _lowered(request.headers))

    def dry_run(self, request: DryRunRequest) -> TryAnswer:
        """Return what a trigger that is not made yet would make of a payload; nothing is kept.

        Raises:
            InvalidParameterError: the definition contradicts itself.
        """
        check(request.kind, request.definition)
        return _wanted(request.definition, request.name, request.payload, _lowered(request.headers))

    async def _change(self, change: Callable[[Tx], TriggerRow]) -> Trigger:
        shown = await self._controller.write(lambda engine, tx: show(change(tx), tx.now))
        self.registry.expire()
        return shown

    async def _sealed(self, secret: str | None) -> str | None:
        return None if secret is None else await anyio.to_thread.run_sync(self._secrets.seal, secret)

    def _new_id(self) -> str:
        with self._ids_lock:
            return self._ids(self._now_ms())

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _wanted(definition: TriggerDefinition, name: str, payload: Any, headers: Mapping[str, str]) -> TryAnswer:
    is_github = definition.signature is not None and definition.signature.scheme == "github"
    if is_github and headers.get("x-github-event") == "ping":
        return TryAnswer(outcome="filtered", reason="GitHub asks whether the address answers")
    if (reason := why_filtered(definition, payload, headers)) is not None:
        return TryAnswer(outcome="filtered", reason=reason)
    try:
        return TryAnswer(outcome="accepted", task=request_of(definition, name, payload, headers))
    except DeliveryFailedError as error:
        return TryAnswer(outcome="failed", reason=str(error))


def _answer(known: Known, done: Done) -> HookAnswer:
    if done.outcome == "limited":
        raise DeliveryLimitedError(known.definition.rate_limit, done.retry_after_s)
    if done.outcome == "failed":
        raise DeliveryFailedError(done.reason)
    return HookAnswer(outcome=done.outcome, event_id=done.event_id, task_id=done.task_id, reason=done.reason)


def _secret_for(request: TriggerCreate) -> str | None:
    if request.signature is None:
        if request.secret is not None:
            raise InvalidParameterError("secret", "…", "only a webhook has a secret; leave it out")
        return None
    if request.secret is not None:
        check_secret(request.signature, request.secret)
    return request.secret or new_secret(request.signature)


def _challenge(payload: Any) -> str | None:
    if not isinstance(payload, dict) or payload.get("type") != "url_verification":
        return None
    challenge = payload.get("challenge")
    return challenge[:1_000] if isinstance(challenge, str) else None


def _kept_headers(headers: Mapping[str, str], secret: frozenset[str]) -> dict[str, str]:
    shown = [(name, value[:MAX_HEADER_CHARACTERS]) for name, value in headers.items() if name not in secret]
    return dict(shown[:MAX_HEADERS])
