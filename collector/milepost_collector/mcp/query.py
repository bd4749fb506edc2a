"""Tools that ask with SQL."""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from milepost_collector.mcp.collector import Collector
from milepost_collector.mcp.recorded import Budget, recorded
from milepost_collector.mcp.tables import table
from milepost_collector.protocol.api import Schema


class QueryTools:
    """Questions in SQL, and what may be asked. Read-only: the collector runs them where nothing can be changed."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    async def describe_tables(
        self,
        name: Annotated[str, Field(description="A table, to see its columns; empty: what tables there are.")] = "",
    ) -> str:
        """Tell which tables SQL can ask, or the columns of one: types, units and meanings."""
        tables = (await self._collector.get("schema", answer=Schema)).tables
        if not name:
            return table(("table", "meaning"), ((one.name, one.description) for one in tables))
        for one in tables:
            if one.name == name:
                rows = ((column.name, column.type, column.unit, column.description) for column in one.columns)
                return f"{one.description}\n\n{table(('column', 'type', 'unit', 'meaning'), rows)}"
        raise ToolError(f"there is no table {name!r}; there are {', '.join(one.name for one in tables)}")

    async def run_sql(
        self,
        sql: Annotated[str, Field(description="One SELECT in DuckDB's dialect over the tables of describe_tables.")],
        limit: Annotated[int, Field(ge=1, le=10_000, description="Rows at most.")] = 100,
        budget_tokens: Budget = 4_000,
    ) -> str:
        """Ask all runs with SQL: costs by model and day, slowest steps, error counts, anything. Read-only."""
        result = await self._collector.sql(sql, limit)
        text = table([column.name for column in result.columns], result.rows)
        more = f"\nOnly the first {limit:,} rows; raise the limit or aggregate." if result.truncated else ""
        return f"{len(result.rows)} rows.\n{recorded(text, budget_tokens)}{more}"
