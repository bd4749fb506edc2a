"""What can be done to many tasks at once: each action by its name, with the arguments of its own request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from milepost.wire.tasks import (
    BulkAction,
    CancelRequest,
    CompleteRequest,
    PauseRequest,
    RedirectRequest,
    RetryRequest,
    RunRequest,
    TaskUpdate,
)
from milepost_collector.controller.engine import commands, updates
from milepost_collector.controller.engine.creation import Creator
from milepost_collector.controller.engine.unit import Unit
from milepost_collector.errors import InvalidParameterError

_Plain = Callable[[Unit, str, Any], None]
_Creating = Callable[[Unit, Creator, str, Any], None]

_PLAIN: dict[str, tuple[type[Any], _Plain]] = {
    "cancel": (CancelRequest, commands.cancel),
    "pause": (PauseRequest, commands.pause),
    "resume": (PauseRequest, commands.resume),
}
_CREATING: dict[str, tuple[type[Any], _Creating]] = {
    "run": (RunRequest, commands.run),
    "retry": (RetryRequest, commands.retry),
    "redirect": (RedirectRequest, updates.redirect),
    "complete": (CompleteRequest, commands.complete),
    "update": (TaskUpdate, updates.update),
}


def action_of(creator: Creator, action: BulkAction, arguments: dict[str, Any]) -> Callable[[Unit, str], None]:
    """Return what does an action to one task.

    Raises:
        InvalidParameterError: the arguments are not the action's.
    """
    if action == "delete":
        return commands.delete
    if action in _PLAIN:
        kind, act = _PLAIN[action]
        given = _converted(arguments, kind)
        return lambda unit, task_id: act(unit, task_id, given)
    kind, make = _CREATING[action]
    given = _converted(arguments, kind)
    return lambda unit, task_id: make(unit, creator, task_id, given)


def _converted(arguments: dict[str, Any], kind: type[Any]) -> Any:
    try:
        return msgspec.convert(arguments, kind)
    except msgspec.ValidationError as error:
        raise InvalidParameterError("arguments", arguments, str(error)) from error
