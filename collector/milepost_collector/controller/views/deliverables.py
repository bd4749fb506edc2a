"""What was handed over."""

from __future__ import annotations

from milepost.wire.deliverables import Deliverable, DeliverableList
from milepost_collector.controller.engine.contract import expectations, newest, states
from milepost_collector.controller.engine.deliverables import Owner, of_owner
from milepost_collector.controller.engine.instants import to_datetime
from milepost_collector.controller.rows import ContentRow, DeliverableRow, TaskRow
from milepost_collector.controller.store.interface import Find, Tx
from milepost_collector.errors import NotFoundError


def deliverables(tx: Tx, owner: Owner, *, all_versions: bool) -> DeliverableList:
    """Return an owner's deliverables, and what is expected of it.

    Raises:
        NotFoundError: there is no such task.
    """
    expected = None if owner.task_id is None else _task(tx, owner.task_id).deliverables
    rows = of_owner(tx, owner)
    return DeliverableList(
        deliverables=[shown(row) for row in (rows if all_versions else newest(rows))],
        expected=states(expectations(expected), rows),
        total_bytes=sum(row.size_bytes for row in rows),
    )


def deliverable(tx: Tx, owner: Owner, name: str, version: int | None) -> Deliverable:
    """Return one version of a deliverable, None: the newest.

    Raises:
        NotFoundError: there is none.
    """
    return shown(_find(tx, owner, name, version))


def content(tx: Tx, owner: Owner, name: str, version: int | None) -> tuple[DeliverableRow, ContentRow]:
    """Return one version of a deliverable and where its content is.

    Raises:
        NotFoundError: there is none.
    """
    row = _find(tx, owner, name, version)
    return row, tx.find(ContentRow, Find(equal={"sha256": row.sha256}))[0]


def shown(row: DeliverableRow) -> Deliverable:
    """Return a row as clients see it."""
    fields = {name: getattr(row, name) for name in Deliverable.__struct_fields__ if name != "created_at"}
    return Deliverable(created_at=to_datetime(row.created_at), **fields)


def _find(tx: Tx, owner: Owner, name: str, version: int | None) -> DeliverableRow:
    equal = {"owner": owner.key, "name": name} | ({} if version is None else {"version": version})
    found = tx.find(DeliverableRow, Find(equal=equal, order=("version",), descending=True, limit=1))
    if not found:
        if owner.task_id is not None:
            _task(tx, owner.task_id)
        raise NotFoundError("deliverable", name if version is None else f"{name} version {version}")
    return found[0]


def _task(tx: Tx, task_id: str) -> TaskRow:
    found = tx.tasks((task_id,), lock=False) or tx.finished((task_id,), lock=False)
    if task_id not in found:
        raise NotFoundError("task", task_id)
    return found[task_id]
