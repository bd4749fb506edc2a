"""The controller over HTTP.

Read `endpoints` (the table of addresses, described with `building`), `tasks`, `attempts`, `schedules`, `agents`
(limits too), `teams` (and who suits a task), `asks`, `worker` and `deliverables` (the handlers), `parameters` and
`bodies` (what comes in and goes out), `waiting` (requests that wait), `costs` (tokens and cost, which the traces
know).
"""

from milepost_collector.web.controller.endpoints import CONTROLLER_ENDPOINTS

__all__ = ["CONTROLLER_ENDPOINTS"]
