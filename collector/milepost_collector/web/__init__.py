"""HTTP: the routes, and what surrounds them.

Read `routes` (the table of addresses), `events`, `runs`, `sql`, `live`, `health` and `static` (the answers),
`parameters` and `body` (what comes in), `problems` (errors), `security` (who may ask), `openapi`.
"""
