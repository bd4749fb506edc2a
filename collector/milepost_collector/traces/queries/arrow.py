"""Arrow IPC streams, piece by piece."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Set
from typing import Any


def ipc_stream(schema: Any, batches: Iterable[Any]) -> Iterator[bytes]:
    """Yield the stream of `pyarrow` record batches: the schema first, then one piece a batch, then the end mark."""
    import pyarrow  # 40 MB that a collector whose viewers ask for JSON never needs

    sink = io.BytesIO()
    with pyarrow.ipc.new_stream(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(batch.replace_schema_metadata(schema.metadata))
            yield _taken(sink)
    yield _taken(sink)


def with_dictionaries(schema: Any, names: Set[str]) -> Any:
    """Return a schema in which these columns of texts are numbers into a dictionary, of at most 32,767 rows a batch."""
    import pyarrow

    type_ = pyarrow.dictionary(pyarrow.int16(), pyarrow.string())
    return pyarrow.schema([field.with_type(type_) if field.name in names else field for field in schema])


def encoded(batch: Any, schema: Any) -> Any:
    """Return a batch of texts with the dictionaries of the schema, each of which is the batch's own."""
    import pyarrow

    columns = [
        _dictionary_encoded(column) if pyarrow.types.is_dictionary(field.type) else column
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pyarrow.record_batch(columns, schema=schema)


def _dictionary_encoded(column: Any) -> Any:
    import pyarrow

    wide = column.dictionary_encode()
    return pyarrow.DictionaryArray.from_arrays(wide.indices.cast(pyarrow.int16()), wide.dictionary)


def _taken(sink: io.BytesIO) -> bytes:
    piece = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return piece
