"""Pure: what arrives becomes rows, and what the API answers looks like. No I/O, no clock, no log.

Two ways lead to a `batch` of rows:

- Milepost's own events: `codec` (bytes to a batch, one bad event costing one event) and `rows` (events to table rows).
- OpenTelemetry's: `otlp` (bytes to the spans, logs and points of `foreign`), `conventions` (what vendors' attributes
  say of a span: `normalised`), `messages` (chat messages, and attributes without what repeats), then `foreign_rows` and
  `export_rows` (to table rows); `renormalise` with `stored_spans` goes the same way from rows stored before.

`search` is the language that runs and spans are searched with. `usage` decides which spans a run's sums count.
`pricing` turns usage into cost, with the public prices of `tariffs` and a user's own of `price_file`. `api` has the
shapes of the JSON answers, with `cursor`, `timestamps` and `durations` (for sentences); `rejected` what could not be
stored.
"""
