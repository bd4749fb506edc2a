"""The DuckDB file: opening, locking down, migrating, and the public SQL schema.

Read `database` (one instance, one writer connection, many readers), then `migrate`, the numbered `migrations/`,
`views.sql` (the public views), `run_parts.sql` (how sums per run are made) and `schema` (what every public
column means).
"""

from milepost_collector.storage.database import Database

__all__ = ["Database"]
