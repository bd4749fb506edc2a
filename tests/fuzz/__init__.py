"""Mutated OTLP bodies against the real ingest: no exception but the declared ones, no neighbour lost.

Reading order: `wire` (protobuf as a tree that may be wrong), `seeds` (records of the corpus, `metrics`), `oddities`
(strange values), `protobuf` and `jsonform` (what is done to one record), `damage` (what is done to a whole body),
`bodies` (from a seed and a number to a body), `judge` (what must hold afterwards), `__main__` (the long run).
"""
