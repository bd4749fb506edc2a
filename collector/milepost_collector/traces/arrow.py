"""Rows to Arrow tables, the one form DuckDB takes in bulk."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from milepost_collector.protocol.rows import Row

if TYPE_CHECKING:
    import pyarrow as pa

TIMES = frozenset({"start_time", "end_time", "time", "received_at", "first_seen"})
INTEGERS = frozenset(
    {
        "attempt", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens",
        "sequence", "batch_index", "accepted", "rejected", "dropped", "process_id", "llm_call_count", "unpriced_count",
        "count",
    }
)  # fmt: skip
FLOATS = frozenset({"cost_usd", "fraction", "time_to_first_token_ms", "value", "sum", "min", "max"})
LISTS = frozenset({"tags", "input_ids", "output_ids"})
FLAGS = frozenset({"closing", "monotonic"})


def to_arrow(columns: tuple[str, ...], rows: Sequence[Row]) -> pa.Table:
    """Return the rows as an Arrow table; a column's type follows from its name."""
    import pyarrow as pa  # late: 40 MB and 0.3 s that a collector nobody writes to does not need

    schema = _schema(columns)
    if not rows:
        return schema.empty_table()
    transposed = zip(*rows, strict=True)
    arrays = [
        # Most columns of most commits are empty, which is quicker to see than to convert.
        pa.nulls(len(rows), type_) if values.count(None) == len(rows) else pa.array(values, type=type_)
        for values, type_ in zip(transposed, schema.types, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


@cache
def _schema(columns: tuple[str, ...]) -> pa.Schema:
    import pyarrow as pa

    return pa.schema([(name, _type(name)) for name in columns])


def _type(name: str) -> pa.DataType:
    import pyarrow as pa

    if name in TIMES:
        return pa.timestamp("ns")
    if name in INTEGERS:
        return pa.int64()
    if name in FLOATS:
        return pa.float64()
    if name in LISTS:
        return pa.list_(pa.string())
    return pa.bool_() if name in FLAGS else pa.string()
