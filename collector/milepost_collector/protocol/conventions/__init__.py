"""What vendors' conventions say about a span, by one versioned table: `table.json`, described in README.md.

Read `table` (what a rule looks like), `forms` (how each attribute is read), `engine` (one pass over a span's
attributes, then everything from what that found), and what it uses: `values` (attribute values as texts, counts, JSON
…), `matching` (values and names to kinds and providers), `usage` (inclusive counts), `outcome` (status and errors),
`naming`. `promoted` serves spans of Milepost's own API.
"""

from __future__ import annotations

from milepost_collector.protocol.conventions.engine import Conventions
from milepost_collector.protocol.conventions.promoted import Promoted, promote_by
from milepost_collector.protocol.conventions.table import Table, TableError, load_table, shipped_table

__all__ = [
    "SHIPPED",
    "TABLE_VERSION",
    "Conventions",
    "Promoted",
    "Table",
    "TableError",
    "load_table",
    "normalise",
    "promote",
    "shipped_table",
]

SHIPPED = Conventions(shipped_table())
TABLE_VERSION = SHIPPED.table.version

normalise = SHIPPED.normalise
promote = promote_by(SHIPPED)
