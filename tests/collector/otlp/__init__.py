"""OTLP: decoding, and the servers over real sockets.

`messages` builds requests, `jsonstyles` writes them as Python's and JavaScript's exporters do. `test_corpus` holds the
decoder against recorded payloads, `test_values`, `test_spans` and `test_records` against the edges of each,
`test_damage` against broken bodies. `test_answers` is the way back; `test_http`, `test_rpc` and `test_prices` are end
to end.
"""
