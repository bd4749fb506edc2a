"""Budgets: what attempts may use, what they used, and what follows when that is up. On open transactions, no clock.

Reading order: `amounts` (measures, limits and their arithmetic), `ledger` (budgets loaded by their keys, periods
turned over, usage charged), `lineage` (on which budgets a run draws), `gate` (what may be leased), `reservations`
(granted before it is spent), `stopping` (attempts under a used-up budget are told, their tasks put before a person),
`freeing` (what waited goes on), `keeping` (budgets set, raised, deleted) and `time` (what is done every second).

The promise: what is used beyond a hard limit is at most what running attempts spent without a reservation before
their telemetry told of it. Grants never overlap: in one transaction, with the budget locked, used + reserved + asked
is held against the limit of every budget concerned, so concurrent runs together are never granted more than is left.
Tasks are locked before budgets, budgets in the order of their ids.
"""
