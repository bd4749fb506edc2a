"""Triggers: tasks made of webhooks that others send, and of events that happen in the collector.

Reading order: `signatures` (who sent it), `payloads` (what came, as a value), `pointer` and `mapping` (a task's
definition of it): all pure. `happenings` (the events there are) and `search` (whether a condition holds of one).
`definitions` (what a trigger may be, and how it is kept), `keeping` (made, changed, rotated, removed), `recording` (one
delivery in one transaction: the task, the line in the log, the counts), `views`, `registry` (triggers at hand),
`service` (all of it together), `following` with `sources` and `lineage` (events become deliveries, each exactly once),
`upkeep` (what is forgotten).

What came is kept sealed: unlike a task's input it may hold more than anybody chose to keep.
"""

from milepost_collector.triggers.following import EventFollower
from milepost_collector.triggers.service import Hook, Triggers

__all__ = ["EventFollower", "Hook", "Triggers"]
