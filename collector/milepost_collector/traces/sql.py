"""SQL of users: checked, run within limits, answered in the format they asked for."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import duckdb
import msgspec
from duckdb import DuckDBPyConnection
from duckdb.sqltypes import DuckDBPyType

from milepost_collector.errors import InvalidParameterError, QueryRejectedError
from milepost_collector.protocol.api import SqlColumn
from milepost_collector.traces.queries.limits import is_interrupt
from milepost_collector.traces.sql_guard import CheckedSql, check_sql
from milepost_collector.traces.sql_values import Convert, cast_expression, cast_type, converter

Format = Literal["json", "csv", "arrow", "parquet"]

MAX_RESULT_BYTES = 64 * 1024 * 1024
FIRST_ROWS = 64  # fetched at once to begin with; rows may be megabytes
MAX_ROWS_AT_ONCE = 4096
PIECE_BYTES = 2 * 1024 * 1024  # of encoded rows that a fetch aims at

_encode_row = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True, slots=True)
class SqlAnswer:
    """An encoded result. truncated: there was more than the limits allow."""

    body: bytes
    truncated: bool
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    kind: DuckDBPyType

    @property
    def convert(self) -> Convert | None:
        return converter(self.kind)


def run_sql(connection: DuckDBPyConnection, sql: str, *, max_rows: int, wanted: Format) -> SqlAnswer:
    """Run one SELECT and return its result. Call within a read-only transaction and a time limit.

    Raises:
        QueryRejectedError: it is not one SELECT, calls what users may not, or DuckDB refuses it.
        duckdb.InterruptException, duckdb.OutOfMemoryException: it was stopped.
    """
    if max_rows < 0:
        raise InvalidParameterError("limit", max_rows, "use a number from 0")
    begin = time.perf_counter()
    try:
        checked = check_sql(connection, sql)
        columns = _columns(connection, checked)
        if wanted == "json":
            return _json(_executed(connection, checked, columns), columns, max_rows, begin)
        if wanted == "csv":
            return _csv(_executed(connection, checked, columns), columns, max_rows, begin)
        return _columnar(connection, checked, columns, max_rows, wanted, begin)
    except (duckdb.InterruptException, duckdb.OutOfMemoryException, duckdb.FatalException, duckdb.IOException):
        raise
    except duckdb.Error as error:
        if is_interrupt(error):
            raise
        raise QueryRejectedError(str(error)) from error


def _elapsed_ms(begin: float) -> float:
    return round((time.perf_counter() - begin) * 1000, 3)


def _columns(connection: DuckDBPyConnection, checked: CheckedSql) -> list[_Column]:
    """Bind the query as the user wrote it, so that errors show the user's own text."""
    try:
        relation = connection.query(checked.select)
    except duckdb.Error:
        connection.execute(checked.select)  # fails in the same way, and says in which line
        raise
    if checked.explain:
        text = connection.query("SELECT '' AS t").types[0]
        return [_Column("explain_key", text), _Column("explain_value", text)]
    return [_Column(name, kind) for name, kind in zip(relation.columns, relation.types, strict=True)]


def _executed(connection: DuckDBPyConnection, checked: CheckedSql, columns: Sequence[_Column]) -> DuckDBPyConnection:
    if checked.explain:
        return connection.execute(checked.explain + checked.select)
    return connection.execute(
        _wrapped(checked.select, columns, [cast_expression(f"c{n}", column.kind) for n, column in enumerate(columns)])
    )


def _wrapped(select: str, columns: Sequence[_Column], expressions: Sequence[str]) -> str:
    """Put the casts around a query. Its columns get names of ours first: theirs may be equal."""
    given = ", ".join(f"c{place}" for place in range(len(columns)))
    # On lines of its own, for it may end in a comment.
    return f"SELECT {', '.join(expressions)} FROM (\n{select.strip().rstrip(';')}\n) AS result({given})"


def _rows(connection: DuckDBPyConnection, limit: int, sizes: list[int]) -> Iterator[tuple[Any, ...]]:
    """Yield rows, fetching fewer at once the larger they are. sizes: what the caller has encoded so far, bytes."""
    at_once, fetched = FIRST_ROWS, 0
    while fetched < limit and (rows := connection.fetchmany(min(at_once, limit - fetched))):
        before = sizes[0]
        yield from rows
        fetched += len(rows)
        per_row = max(1, (sizes[0] - before) // len(rows))
        at_once = max(1, min(MAX_ROWS_AT_ONCE, 2 * at_once, PIECE_BYTES // per_row))


def _json(connection: DuckDBPyConnection, columns: Sequence[_Column], max_rows: int, begin: float) -> SqlAnswer:
    converters = [(place, convert) for place, column in enumerate(columns) if (convert := column.convert)]
    out = io.BytesIO()
    head = [SqlColumn(name=column.name, type=str(column.kind)) for column in columns]
    out.write(b'{"columns":' + msgspec.json.encode(head) + b',"rows":[')
    truncated, sizes = False, [0]
    for count, row in enumerate(_rows(connection, max_rows + 1, sizes)):
        encoded = _encode_row(_converted(row, converters) if converters else row)
        if count == max_rows or sizes[0] + len(encoded) > MAX_RESULT_BYTES:
            truncated = True
            break
        sizes[0] += len(encoded) + 1
        out.write(b"," + encoded if count else encoded)
    elapsed_ms = _elapsed_ms(begin)
    out.write(b'],"truncated":' + msgspec.json.encode(truncated) + b',"elapsed_ms":' + str(elapsed_ms).encode() + b"}")
    return SqlAnswer(out.getvalue(), truncated, elapsed_ms)


def _converted(row: tuple[Any, ...], converters: Sequence[tuple[int, Convert]]) -> list[Any]:
    values = list(row)
    for place, convert in converters:
        values[place] = convert(values[place])
    return values


def _csv(connection: DuckDBPyConnection, columns: Sequence[_Column], max_rows: int, begin: float) -> SqlAnswer:
    """Write RFC 4180 text: a header, NULL as nothing, nested values as JSON."""
    converters = [(place, convert) for place, column in enumerate(columns) if (convert := column.convert)]
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([column.name for column in columns])
    sizes = [out.tell()]
    for count, row in enumerate(_rows(connection, max_rows + 1, sizes)):
        if count == max_rows or out.tell() > MAX_RESULT_BYTES:
            return SqlAnswer(out.getvalue().encode(), True, _elapsed_ms(begin))
        writer.writerow([_cell(value) for value in _converted(row, converters)])
        sizes[0] = out.tell()
    return SqlAnswer(out.getvalue().encode(), False, _elapsed_ms(begin))


def _cell(value: Any) -> Any:
    if isinstance(value, str | int | float | None) and not isinstance(value, bool):
        return value
    encoded = _encode_row(value).decode()
    return encoded[1:-1] if isinstance(value, bytes) else encoded  # base64 without its quotes


def _columnar(
    connection: DuckDBPyConnection,
    checked: CheckedSql,
    columns: Sequence[_Column],
    max_rows: int,
    wanted: Format,
    begin: float,
) -> SqlAnswer:
    import pyarrow
    import pyarrow.parquet

    reader = _columnar_source(connection, checked, columns, wanted).to_arrow_reader(MAX_ROWS_AT_ONCE)
    schema = pyarrow.schema(
        [
            field.with_name(column.name).with_metadata({"duckdb_type": str(column.kind)})
            for field, column in zip(reader.schema, columns, strict=True)
        ]
    )
    sink = pyarrow.BufferOutputStream()
    count, truncated = 0, False
    with (
        pyarrow.ipc.new_stream(sink, schema)
        if wanted == "arrow"
        else pyarrow.parquet.ParquetWriter(sink, schema) as writer
    ):
        for batch in reader:
            part = batch.slice(0, max_rows - count)
            truncated = part.num_rows < batch.num_rows or sink.tell() + part.nbytes > MAX_RESULT_BYTES
            if truncated and sink.tell() + part.nbytes > MAX_RESULT_BYTES:
                break
            writer.write_batch(pyarrow.RecordBatch.from_arrays(part.columns, schema=schema))
            count += part.num_rows
            if truncated:
                break
    return SqlAnswer(sink.getvalue().to_pybytes(), truncated, _elapsed_ms(begin))


def _columnar_source(
    connection: DuckDBPyConnection, checked: CheckedSql, columns: Sequence[_Column], wanted: Format
) -> DuckDBPyConnection:
    if checked.explain or not columns:
        return connection.execute(checked.explain + checked.select)
    keep = [cast_type(column.kind) if _unportable(column.kind, wanted) else None for column in columns]
    expressions = [f"CAST(c{n} AS {kind})" if kind else f"c{n}" for n, kind in enumerate(keep)]
    return connection.execute(_wrapped(checked.select, columns, expressions))


def _unportable(kind: DuckDBPyType, wanted: Format) -> bool:
    """Whether a type holds something that Arrow or Parquet has no type for."""
    text = str(kind)
    names = ("INTERVAL", "BIT", "VARIANT", "GEOMETRY", "BIGNUM", "UNION", "TIME WITH TIME ZONE")
    return any(name in text for name in names if wanted == "parquet" or name != "INTERVAL")
