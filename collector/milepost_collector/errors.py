"""The collector's error tree, under the SDK's root `MilepostError`.

MilepostError
├── StorageError               the database cannot be used
│   ├── DatabaseLockedError    another process has it open
│   ├── DatabaseCorruptError   the file is not a readable database
│   ├── DatabaseTooNewError    a newer program wrote it
│   ├── DuplicateRowError      a new row's key is taken, or a row contradicts a constraint of its table
│   ├── DeliverableStoreError  contents of deliverables cannot be kept or read now
│   └── StorageUnavailableError  a commit failed for want of space or because of the disk; nothing was acknowledged
├── IngestError                a request to the ingest routes cannot be taken
│   ├── BodyTooLargeError      over a size limit
│   ├── MalformedBodyError     not msgpack or JSON, or not a batch
│   ├── UnsupportedEncodingError  unknown content type or encoding
│   └── QueueFullError         back pressure: try again later
├── ControllerBusyError        back pressure of the controller: try again later
└── QueryError                 a query cannot be answered
    ├── QueryRejectedError     not one read-only SELECT, or not valid SQL
    ├── QueryTimeoutError      over the time limit
    ├── QueryMemoryError       needs more memory than there may be
    ├── QueryInterruptedError  stopped because the collector shuts down or reopens its file
    ├── NotFoundError          there is no such run, span, task, schedule, agent or worker
    ├── InvalidParameterError  a request parameter is malformed or out of range
    │   └── InvalidSearchError a search cannot be read; says where
    ├── ConflictError          it is not possible as things stand
    ├── NotApproverError       an ask is not this person's to decide
    ├── DigestMismatchError    an upload is not what its digest says
    ├── UploadStalledError     an upload does not go on
    └── ValueTooLargeError     a value is over its size limit
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from milepost.errors import MilepostError


class StorageError(MilepostError):
    """The database cannot be used. path: the database file, or a database server's URL without its password."""

    def __init__(self, path: Path | str, message: str) -> None:
        super().__init__(message)
        self.path = path


class DatabaseLockedError(StorageError):
    """Another process has the database open."""

    def __init__(self, path: Path, cause: str) -> None:
        super().__init__(
            path,
            f"database {path} is in use by another process ({cause}); stop that collector or serve another "
            "--data folder",
        )


class DatabaseCorruptError(StorageError):
    """The file is not a database this program can read. companion: how the name of its log ends."""

    def __init__(self, path: Path, cause: str, companion: str = ".wal") -> None:
        super().__init__(
            path,
            f"database {path} cannot be read ({cause}); restore it from a backup, or move it and "
            f"{path.name}{companion} away to start with an empty one",
        )


class DatabaseTooNewError(StorageError):
    """A newer Milepost has written the file. found, known: layout versions."""

    def __init__(self, path: Path | str, found: int, known: int) -> None:
        super().__init__(
            path,
            f"database {path} has layout {found}, this Milepost knows layouts up to {known}; upgrade Milepost or serve "
            "another --data folder",
        )
        self.found = found
        self.known = known


class DuplicateRowError(StorageError):
    """A new row's key is taken, or a row contradicts a constraint of its table. Nothing of its transaction is kept."""

    def __init__(self, path: Path | str, cause: str) -> None:
        super().__init__(path, f"database {path} refused a row ({cause}); load the one that is there and change it")


class StorageUnavailableError(StorageError):
    """The database cannot be used now; nothing was acknowledged and asking again is safe. cause, remedy: for people."""

    def __init__(
        self, path: Path | str, cause: str, remedy: str = "free space on its disk, senders will retry"
    ) -> None:
        super().__init__(path, f"database {path} cannot be written ({cause}); {remedy}")


class DeliverableStoreError(StorageError):
    """Contents of deliverables cannot be kept or read now; asking again is safe. cause: what the store said."""

    def __init__(self, place: str, cause: str) -> None:
        super().__init__(
            place,
            f"the store of deliverables, {place}, cannot be used ({cause}); check deliverables_url, then try again",
        )


class IngestError(MilepostError):
    """A request to an ingest route cannot be taken."""


class BodyTooLargeError(IngestError, ValueError):
    """A body is over a size limit. stage: "compressed" or "inflated". limit: bytes."""

    def __init__(self, stage: str, limit: int) -> None:
        super().__init__(f"the {stage} body is larger than {limit} bytes; send smaller batches")
        self.stage = stage
        self.limit = limit


class MalformedBodyError(IngestError, ValueError):
    """A body cannot be decoded as a batch."""


class UnsupportedEncodingError(IngestError, ValueError):
    """The content type or encoding is unknown. value: what was sent. allowed: what is understood."""

    def __init__(self, header: str, value: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"{header} {value!r} is not supported; send one of {', '.join(allowed)}")
        self.header = header
        self.value = value
        self.allowed = allowed


class QueueFullError(IngestError):
    """The ingest queue is full: back pressure. retry_after_s: when to try again, seconds."""

    def __init__(self, queued_bytes: int, limit: int, retry_after_s: int = 1) -> None:
        super().__init__(f"{queued_bytes} of {limit} queued bytes are waiting for the disk; retry in {retry_after_s} s")
        self.queued_bytes = queued_bytes
        self.limit = limit
        self.retry_after_s = retry_after_s


class ControllerBusyError(MilepostError):
    """Too many requests wait for the controller: back pressure. retry_after_s: when to try again, seconds."""

    def __init__(self, waiting: int, limit: int, retry_after_s: int = 1) -> None:
        super().__init__(
            f"{waiting} requests wait for the controller, {limit} are allowed to; retry in {retry_after_s} s"
        )
        self.waiting = waiting
        self.limit = limit
        self.retry_after_s = retry_after_s


class QueryError(MilepostError):
    """A query cannot be answered."""


class QueryRejectedError(QueryError, ValueError):
    """The text is not one read-only SELECT statement, or DuckDB refused it."""


class QueryTimeoutError(QueryError, TimeoutError):
    """A query ran over its time limit. timeout_s: the limit, seconds."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(f"the query ran longer than {timeout_s:g} s and was stopped; narrow it or raise sql_timeout_s")
        self.timeout_s = timeout_s


class QueryMemoryError(QueryError, MemoryError):
    """A query needs more memory than the database may use. cause: what DuckDB said."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"the query needs too much memory ({cause}); narrow it or raise memory_limit_bytes")


class QueryInterruptedError(QueryError):
    """A query was stopped from outside: the collector shuts down, or nobody waits any more. Trying again is safe."""

    def __init__(self, reason: str = "the database is being closed or reopened") -> None:
        super().__init__(f"the query was stopped because {reason}; try again")


class NotFoundError(QueryError, LookupError):
    """There is no such thing. kind: "run" or "span". value: the id asked for."""

    def __init__(self, kind: str, value: str) -> None:
        super().__init__(f"there is no {kind} {value!r}")
        self.kind = kind
        self.value = value


class InvalidParameterError(QueryError, ValueError):
    """A request parameter is malformed or out of range."""

    def __init__(self, field: str, value: object, remedy: str) -> None:
        super().__init__(f"{field} {value!r} is not valid; {remedy}")
        self.field = field
        self.value = value
        self.remedy = remedy


class InvalidSearchError(InvalidParameterError):
    """A search cannot be read. position, end: the characters of it that are wrong, counted from 0."""

    def __init__(self, text: str, position: int, end: int, found: str, remedy: str) -> None:
        super().__init__("q", text, remedy)
        self.position = position
        self.end = end
        self.found = found
        self.args = (f"{found} (at character {position + 1} of the search); {remedy}",)


class ConflictError(QueryError):
    """Something is not possible as things stand. legal: the commands that are, if it was a command."""

    def __init__(self, message: str, legal: Sequence[str] | None = None) -> None:
        super().__init__(message)
        self.legal = legal


class NotApproverError(QueryError):
    """Somebody decides an ask that is for others. ask_id, by, approvers: which, who, and for whom."""

    def __init__(self, ask_id: str, by: str, approvers: Sequence[str]) -> None:
        named = ", ".join(approvers)
        super().__init__(
            f"ask {ask_id} is not {by}'s to decide, it is for {named}; let one of them decide or delegate it"
        )
        self.ask_id = ask_id
        self.by = by
        self.approvers = approvers


class BudgetExceededError(ConflictError):
    """A budget does not allow it. value: the budget's id. waits: it may, when others use less than they reserved."""

    def __init__(self, message: str, budget_id: str | None, *, waits: bool = False) -> None:
        super().__init__(message)
        self.field = "budget"
        self.value = budget_id
        self.waits = waits


class ValueTooLargeError(QueryError, ValueError):
    """A value is over its size limit. value, limit: bytes."""

    def __init__(self, field: str, size: int, limit: int, message: str | None = None) -> None:
        super().__init__(
            message or f"{field} has {size} bytes as JSON, {limit} are allowed; store it elsewhere, pass a reference"
        )
        self.field = field
        self.value = size
        self.limit = limit


class DigestMismatchError(QueryError, ValueError):
    """An upload is not what its digest says. expected, found: SHA-256 in hexadecimal."""

    def __init__(self, name: str, expected: str, found: str) -> None:
        super().__init__(f"deliverable {name!r} has SHA-256 {found}, its digest says {expected}; send it again")
        self.field = "Content-Digest"
        self.value = expected
        self.found = found


class UploadStalledError(QueryError, TimeoutError):
    """An upload has sent nothing for long. idle_s: how long, seconds."""

    def __init__(self, idle_s: float) -> None:
        super().__init__(f"nothing more of the body came for {idle_s:g} s; send it again")
        self.idle_s = idle_s
