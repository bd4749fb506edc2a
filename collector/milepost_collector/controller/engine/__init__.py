"""The engine: what happens to tasks, as synchronous operations on an open transaction. No socket, no thread, no clock.

Reading order: `unit` (tasks loaded, changed and written together) and `effects` (who is to be woken after the commit);
`creation`, `queueing` and `dependencies`; `commands` and `updates` (what people ask); `workers` (polls), `claim` with
`limits` (ready assignments become leases) and `reports`; `deliverables` (what is attached) and `contract` (what is
expected); `outcomes` (what follows the end of an attempt); `timekeeping` (what time does); `schedules` and `firing`
(instants become tasks); `rounds` (when each of that is due); `actions` (commands by name, for many tasks); `engine`
puts a face on all of it.
"""

from milepost_collector.controller.engine.creation import Created
from milepost_collector.controller.engine.effects import Effects
from milepost_collector.controller.engine.engine import Engine

__all__ = ["Created", "Effects", "Engine"]
