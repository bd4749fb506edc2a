"""Deliverables arrive: a stored content becomes a version of its owner's, in the transaction that checks the fence."""

from __future__ import annotations

from msgspec import Struct

from milepost_collector.controller.engine.unit import Unit
from milepost_collector.controller.rows import AssignmentRow, ContentRow, DeliverableRow
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.errors import ConflictError, NotFoundError, ValueTooLargeError

MAX_VERSIONS = 1_000  # of all deliverables of an owner together


class Owner(Struct, frozen=True):
    """Whose deliverables: a task's, or those of a run that is no attempt of one."""

    task_id: str | None = None
    run_id: str | None = None

    @property
    def key(self) -> str:
        """How rows name it."""
        return self.task_id or f"run:{self.run_id}"

    @property
    def what(self) -> str:
        """What it is, for texts."""
        return f"task {self.task_id}" if self.task_id else f"run {self.run_id}"


class Arrival(Struct, kw_only=True, frozen=True):
    """What is to be attached. key: where its content has been stored, for this arrival alone."""

    owner: Owner
    name: str
    type: str
    content_type: str
    size_bytes: int
    sha256: str
    key: str
    attempt: int | None = None
    span_id: str | None = None
    by: str | None = None


class Attached(Struct, frozen=True):
    """What became of an arrival. made: False: the newest version is the same. spare_key: a copy nobody needs."""

    row: DeliverableRow
    made: bool
    spare_key: str | None


def of_owner(tx: Tx, owner: Owner) -> list[DeliverableRow]:
    """Return all versions of an owner's deliverables, by name, the newest first."""
    rows = tx.find(DeliverableRow, Find(equal={"owner": owner.key}, order=("name", "version"), limit=MAX_VERSIONS))
    return sorted(rows, key=lambda row: (row.name, -row.version))


def check_fence(unit: Unit, owner: Owner, attempt: int | None) -> AssignmentRow | None:
    """Return the lease under which something is attached, None if that is done by hand.

    Raises:
        ConflictError: the attempt's lease is over.
        NotFoundError: there is no such task.
    """
    if owner.task_id is None:
        return None
    task = unit.task(owner.task_id)
    if attempt is None:
        return None
    lease = next((row for row in unit.leased(task) if row.attempt == attempt), None)
    if lease is None:
        raise ConflictError(
            f"attempt {attempt} of task {task.id} has no lease any more: its deliverables are not taken; the newest "
            f"attempt is {task.attempt}"
        )
    return lease


def check_room(tx: Tx, owner: Owner, size: int, quota_bytes: int) -> None:
    """Refuse what would be too much for one owner.

    Raises:
        ConflictError: it has too many versions.
        ValueTooLargeError: they have too many bytes.
    """
    rows = of_owner(tx, owner)
    if len(rows) >= MAX_VERSIONS:
        raise ConflictError(f"{owner.what} has {len(rows)} deliverables and versions, {MAX_VERSIONS} are allowed")
    total = sum(row.size_bytes for row in rows) + size
    if total > quota_bytes:
        raise ValueTooLargeError(
            "deliverables", total, quota_bytes,
            f"the deliverables of {owner.what} would have {total} bytes, {quota_bytes} are allowed; attach less or "
            "raise max_task_deliverables_bytes",
        )  # fmt: skip


def attach(unit: Unit, arrival: Arrival, quota_bytes: int) -> Attached:
    """Make a stored content a deliverable.

    Raises:
        ConflictError, NotFoundError, ValueTooLargeError: see `check_fence` and `check_room`.
    """
    tx, owner = unit.tx, arrival.owner
    lease = check_fence(unit, owner, arrival.attempt)
    same_name = Find(equal={"owner": owner.key, "name": arrival.name}, order=("version",), descending=True, limit=1)
    newest = next(iter(tx.find(DeliverableRow, same_name)), None)
    if newest is not None and _is_same(newest, arrival):
        return Attached(newest, made=False, spare_key=_spare(_content(tx, arrival), arrival))
    check_room(tx, owner, arrival.size_bytes, quota_bytes)
    row = _row(unit, arrival, lease, 1 if newest is None else newest.version + 1)
    spare_key = _keep(unit, arrival)
    tx.insert([row])
    unit.effects.changed = True
    if owner.task_id is not None:
        task = unit.tasks[owner.task_id]
        told = f"{row.name}, version {row.version} ({row.type}, {row.content_type}, {row.size_bytes} bytes)"
        unit.record(task, "attached", task.status, assignment=lease, by=arrival.by, reason=told)
    return Attached(row, made=True, spare_key=spare_key)


def detach(unit: Unit, owner: Owner, name: str, version: int | None) -> int:
    """Remove a deliverable, or one version of it; return how many versions that were.

    Raises:
        NotFoundError: there is none.
    """
    if owner.task_id is not None:
        unit.task(owner.task_id)
    equal = {"owner": owner.key, "name": name} | ({} if version is None else {"version": version})
    rows = unit.tx.find(DeliverableRow, Find(equal=equal, order=("version",), limit=MAX_VERSIONS))
    if not rows:
        raise NotFoundError("deliverable", name)
    unit.tx.delete(rows)
    return len(rows)


def _is_same(newest: DeliverableRow, arrival: Arrival) -> bool:
    fields = ("sha256", "type", "content_type")
    return all(getattr(newest, field) == getattr(arrival, field) for field in fields)


def _row(unit: Unit, arrival: Arrival, lease: AssignmentRow | None, version: int) -> DeliverableRow:
    return DeliverableRow(
        owner=arrival.owner.key,
        name=arrival.name,
        version=version,
        type=arrival.type,
        content_type=arrival.content_type,
        size_bytes=arrival.size_bytes,
        sha256=arrival.sha256,
        created_at=unit.now,
        task_id=arrival.owner.task_id,
        attempt=arrival.attempt,
        run_id=arrival.owner.run_id if lease is None else lease.run_id,
        span_id=arrival.span_id,
        agent=None if lease is None else lease.held_by,
        by=arrival.by,
    )


def _keep(unit: Unit, arrival: Arrival) -> str | None:
    """Refer to the content, which may be kept already; return the key of the copy that is not needed then."""
    found = _content(unit.tx, arrival)
    if found is not None:
        found.used_at = unit.now
        unit.tx.update([found])
        return _spare(found, arrival)
    content = ContentRow(
        sha256=arrival.sha256,
        key=arrival.key,
        size_bytes=arrival.size_bytes,
        stored_at=unit.now,
        used_at=unit.now,
    )
    unit.tx.insert([content])
    return None


def _content(tx: Tx, arrival: Arrival) -> ContentRow | None:
    return next(iter(tx.find(ContentRow, Find(equal={"sha256": arrival.sha256}), lock=True)), None)


def _spare(kept: ContentRow | None, arrival: Arrival) -> str | None:
    """Return the key of the arrival's copy unless it is the one that is kept: the same arrival may come twice."""
    return None if kept is not None and kept.key == arrival.key else arrival.key
