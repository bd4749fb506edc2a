"""Triggers are made, changed, rotated and removed: functions on an open transaction."""

from __future__ import annotations

import secrets as random_source
from typing import Any

from msgspec import UNSET, Struct

from milepost.wire.triggers import RotateRequest, TriggerCreate, TriggerUpdate
from milepost_collector.controller.rows import TriggerEventRow, TriggerPayloadRow, TriggerRow
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.errors import ConflictError, InvalidParameterError, NotFoundError
from milepost_collector.triggers.definitions import check, definition_text, with_changes
from milepost_collector.triggers.registry import check_room, stamp_anew

HOOK_BYTES = 20  # 160 bits: an address that nobody finds by trying
MAX_REMOVED = 5_000  # lines of the log in one transaction


class New(Struct, kw_only=True, frozen=True):
    """What a new trigger gets beside what is asked for."""

    id: str
    sealed_secret: str | None


def create(tx: Tx, request: TriggerCreate, new: New) -> TriggerRow:
    """Make a trigger.

    Raises:
        ConflictError: there is one of this name, or there are too many.
    """
    _check_name(tx, request.name)
    check_room(tx)
    is_hook = request.kind == "webhook"
    row = TriggerRow(
        id=new.id,
        name=request.name,
        kind=request.kind,
        definition=definition_text(request),
        created_at=tx.now,
        updated_at=tx.now,
        armed_at=tx.now,
        enabled=request.enabled,
        hook_id=new_hook_id() if is_hook else None,
        secret=new.sealed_secret,
    )
    tx.insert([row])
    stamp_anew(tx)
    return row


def update(tx: Tx, trigger: str, request: TriggerUpdate) -> TriggerRow:
    """Change a trigger. Events that another pattern means count from now on.

    Raises:
        InvalidParameterError: the whole contradicts itself, or the way senders sign would be another.
    """
    row = find(tx, trigger, lock=True)
    given = {name: value for name in request.__struct_fields__ if (value := getattr(request, name)) is not UNSET}
    name = given.pop("name", row.name)
    if name != row.name:
        _check_name(tx, name)
    before, definition = with_changes(row, {}), with_changes(row, given)
    check(row.kind, definition)
    if before.signature and definition.signature and before.signature.scheme != definition.signature.scheme:
        raise InvalidParameterError(
            "signature.scheme", definition.signature.scheme, "the secret is of another; make a new trigger"
        )
    if definition.event != before.event:
        row.armed_at = tx.now
    row.name, row.definition = name, definition_text(definition)
    return _changed(tx, row)


def enable(tx: Tx, trigger: str, enabled: bool) -> TriggerRow:
    """Let a trigger make tasks, from now on, or none."""
    row = find(tx, trigger, lock=True)
    if enabled and not row.enabled:
        row.armed_at = tx.now
    row.enabled = enabled
    return _changed(tx, row)


def rotate(tx: Tx, trigger: str, request: RotateRequest, sealed_secret: str | None) -> TriggerRow:
    """Give a webhook another secret, address, or both; what it had is taken until the overlap is over.

    Raises:
        InvalidParameterError: it is no webhook.
    """
    row = find(tx, trigger, lock=True)
    if row.kind != "webhook":
        raise InvalidParameterError("trigger", row.name, "only a webhook has a secret and an address")
    still_valid = row.previous_until is not None and row.previous_until > tx.now
    previous_hook_id = row.previous_hook_id if still_valid else None
    previous_secret = row.previous_secret if still_valid else None
    row.previous_until = tx.now + request.overlap_ms
    row.previous_secret, row.previous_hook_id = previous_secret, previous_hook_id
    if sealed_secret is not None:
        row.previous_secret, row.secret = row.secret, sealed_secret
    if request.renew_address:
        row.previous_hook_id, row.hook_id = row.hook_id, new_hook_id()
    return _changed(tx, row)


def delete(tx: Tx, trigger: str) -> bool:
    """Remove a trigger and its log; its tasks stay. Return whether there is more of it to remove: call again."""
    row = find(tx, trigger, lock=True)
    more = False
    for kind in (TriggerPayloadRow, TriggerEventRow):
        found: list[Any] = tx.find(kind, Find(equal={"trigger_id": row.id}, limit=MAX_REMOVED))
        tx.delete(found)
        more |= len(found) == MAX_REMOVED
    if more:
        row.enabled = False  # so that it ends
        _changed(tx, row)
    else:
        tx.delete([row])
        stamp_anew(tx)
    return more


def find(tx: Tx, trigger: str, *, lock: bool = False) -> TriggerRow:
    """Return a trigger by its id or name.

    Raises:
        NotFoundError: there is none.
    """
    for column in ("id", "name"):
        if found := tx.find(TriggerRow, Find(equal={column: trigger}, limit=1), lock=lock):
            return found[0]
    raise NotFoundError("trigger", trigger)


def new_hook_id() -> str:
    """Return the part of an address that nobody guesses: 40 hexadecimal digits."""
    return random_source.token_hex(HOOK_BYTES)


def _changed(tx: Tx, row: TriggerRow) -> TriggerRow:
    row.updated_at = tx.now
    row.version += 1
    tx.update([row])
    stamp_anew(tx)
    return row


def _check_name(tx: Tx, name: str) -> None:
    if tx.count(TriggerRow, Find(equal={"name": name})):
        raise ConflictError(f"there is a trigger {name!r}; change that one, or choose another name")
