"""Where tasks are kept: transactions over rows, on SQLite or PostgreSQL.

Reading order: `interface` (what the engine asks for); `tables`, derived from `rows`; `statements`, `listing` and
`writing` (Core statements) with `dialects` (how the two databases differ); `session`, `task_part`, `queue_part` and
`transaction` (statements executed, answers as rows), `finding` (rows of any table); `sqlite`, `postgres` and `migrate`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from milepost_collector.controller.store.interface import Store
from milepost_collector.errors import StorageError

__all__ = ["open_store"]


def open_store(place: Path | str, *, clock: Callable[[], int] | None = None) -> Store:
    """Open a store and bring its tables up to date.

    place: an SQLite file, `:memory:`, or the URL of a PostgreSQL database (`postgresql://user@host/name`). clock:
    milliseconds since the Unix epoch; None: the machine's on SQLite, the database's on PostgreSQL.

    Raises:
        StorageError: it cannot be opened; the text says why and what to do.
    """
    if isinstance(place, str) and place.startswith(("postgresql://", "postgres://")):
        return _open_postgres(place, clock)
    from milepost_collector.controller.store.sqlite import SQLiteStore

    return SQLiteStore(place, clock=clock)


def _open_postgres(url: str, clock: Callable[[], int] | None) -> Store:
    try:
        from milepost_collector.controller.store.postgres import PostgresStore
    except ImportError as error:
        raise StorageError(
            "postgresql", f"a database of PostgreSQL needs psycopg ({error}); run: pip install 'milepost[scale]'"
        ) from error
    return PostgresStore(url, clock=clock)
