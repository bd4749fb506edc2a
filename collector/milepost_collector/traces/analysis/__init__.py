"""What runs show when they are looked at together, and what they look like in other tools.

`compare` sets two runs side by side, row by row as `alignment` has it; `history` sets one
beside those that went before. `flame` folds the spans of many runs
by path, with the arithmetic of `folding` and `around`. `insights` are figures of many runs, with
`masking` for errors that are alike. `exporting` reads one run for the formats
of `protocol.exports`.
"""

from milepost_collector.traces.analysis.compare import compare, compare_spans
from milepost_collector.traces.analysis.exporting import Format, RunExport
from milepost_collector.traces.analysis.flame import FlameRequest, flame, flame_around
from milepost_collector.traces.analysis.insights import InsightsRequest, insights

__all__ = [
    "FlameRequest",
    "Format",
    "InsightsRequest",
    "RunExport",
    "compare",
    "compare_spans",
    "flame",
    "flame_around",
    "insights",
]
