"""Every recorded program of `tests/corpus`, sent to a collector.

`scenarios` reads the payloads and what is true of them. `test_scenarios` compares spans, tree, models, usage, cost,
errors and messages with it; `test_orders` shuffles, splits, repeats and re-encodes (`reencoding`) and wants the same
tables.
"""
