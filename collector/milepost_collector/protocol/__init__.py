"""Pure: what arrives becomes rows, and what the API answers looks like. No I/O, no clock, no log.

Read `rows` (wire events to table rows), `codec` (bytes to a `DecodedBatch`, one bad event costing one event),
`conventions` with `conventions.json` (vendors' attribute names to our columns), `pricing` (usage to cost) and
`api` (the shapes of the JSON answers).
"""
