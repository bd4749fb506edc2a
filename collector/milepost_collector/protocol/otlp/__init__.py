"""OTLP bodies to `ForeignSpan`s, `ForeignLog`s and `ForeignPoint`s, and the answers OTLP wants.

One bad record costs only itself. Read `export` (what comes out), `spans`, `logs` and `metrics` (what a record means,
whatever its encoding, with `identity`, `values` and `resources`), then the encodings, which differ in a `form`:
`protobuf` (with `schema`, `anyvalue` and `framing`; `salvage` for damaged bodies) and `jsonbody` (with `jsontypes` and
`jsonrepair`). `answers` is the way back. Protobuf is imported with the first request that needs it.
"""

from __future__ import annotations

from milepost_collector.protocol.otlp.answers import encode_answer, encode_status
from milepost_collector.protocol.otlp.decode import CONTENT_TYPES, decode_export
from milepost_collector.protocol.otlp.export import Export, Origin, Signal, summary

__all__ = [
    "CONTENT_TYPES",
    "Export",
    "Origin",
    "Signal",
    "decode_export",
    "encode_answer",
    "encode_status",
    "summary",
]
