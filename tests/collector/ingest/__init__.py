"""Tests of ingest.

`test_promises` holds the wire's promises as properties, over `stories` (what processes could have sent and every way to
deliver it) and a `harness` (a committer over a real database, a clock that the test moves); `test_foreign` does it for
what OpenTelemetry sends (`foreign` builds it) and `test_digests` for contents stored once; then `test_ingest` (the
door), `test_lost`, `test_summing` and `test_feed`.
"""
