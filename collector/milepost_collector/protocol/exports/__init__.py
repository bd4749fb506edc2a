"""A run in the formats of other tools. Pure: spans in, pieces of a document out, so that runs of any size stream.

`timed` is what the pictures are drawn from, `lanes` puts spans that overlap side by side; then one file per format:
`chrome` (trace events, for Perfetto), `speedscope`, `markdown`, and `otlp` with `native`, which tells spans of
Milepost's own API in OpenTelemetry's words.
"""

from __future__ import annotations

from milepost_collector.protocol.exports.chrome import chrome_trace
from milepost_collector.protocol.exports.markdown import MarkdownRun, markdown
from milepost_collector.protocol.exports.native import foreign_span, resource_attributes
from milepost_collector.protocol.exports.otlp import Exported, otlp_json
from milepost_collector.protocol.exports.speedscope import speedscope
from milepost_collector.protocol.exports.timed import SpanLink, TimedSpan

__all__ = [
    "Exported",
    "MarkdownRun",
    "SpanLink",
    "TimedSpan",
    "chrome_trace",
    "foreign_span",
    "markdown",
    "otlp_json",
    "resource_attributes",
    "speedscope",
]
