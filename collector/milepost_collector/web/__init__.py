"""HTTP: the routes, and what surrounds them.

Read `endpoint`, `routes` (the table of addresses), `events`, `otlp` and its gRPC twin `rpc` (what is stored), `runs`,
`sql`, `live`, `health` and `static` (the answers), `controller` (tasks, schedules, agents, workers), `webhooks`,
`parameters` and `body` (what comes in), `problems` (errors), `security` (who may ask), `openapi`.
"""
