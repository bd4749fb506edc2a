"""What runs show when they are looked at together, and what they look like in other tools.

`exporting` reads a run for the formats of `protocol.exports`.
"""

from milepost_collector.traces.analysis.exporting import Format, RunExport

__all__ = ["Format", "RunExport"]
