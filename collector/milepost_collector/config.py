"""The collector's settings; the only place that reads the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from milepost.errors import ConfigurationError

MIB = 1024 * 1024
DELIVERABLE_SCHEMES = ("s3", "gs", "az", "file", "memory")
MAX_DELIVERABLE_BYTES = 5 * 1024 * MIB  # what S3 copies in one request


def default_data_dir() -> Path:
    """Return the folder used when none is given: ~/.milepost."""
    return Path.home() / ".milepost"


def default_memory_limit_bytes() -> int:
    """Return half of the machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectorConfig:
    """Settings of one collector. Sizes are bytes, times seconds.

    Raises:
        ConfigurationError: a value is out of range, or host is not a loopback address.
    """

    data_dir: Path = field(default_factory=default_data_dir)
    price_file: Path | None = None  # own prices; without it milepost.toml in data_dir, if there is one
    host: str = "127.0.0.1"  # loopback only: there are no keys to tell callers apart
    port: int = 4600  # 0 takes a free one
    grpc_port: int | None = None  # of OTLP/gRPC, if wanted; 0 takes a free one
    root_path: str = ""  # path prefix a reverse proxy serves the collector under
    max_body_bytes: int = 16 * MIB  # of a request as sent
    max_inflated_bytes: int = 64 * MIB  # of a request once decompressed
    max_waiting_bytes: int = 256 * MIB  # inflated bytes waiting for the disk; beyond it senders get 503
    lost_after_s: float = 30.0  # silence of a producer after which its running spans are closed as lost
    checkpoint_wal_bytes: int = 256 * MIB  # write-ahead log size at which a checkpoint is forced; idle moments use less
    memory_limit_bytes: int = field(default_factory=default_memory_limit_bytes)  # DuckDB's
    sql_timeout_s: float = 30.0  # of one query by a user
    sql_max_rows: int = 100_000  # in one answer
    query_threads: int = 4  # queries at once
    forward_to: tuple[str, ...] = ()  # OTLP/HTTP base addresses that get every OTLP body too
    forward_headers: tuple[str, ...] = field(default=(), repr=False)  # NAME=VALUE or URL NAME=VALUE; secrets
    forward_max_bytes: int = 1024 * MIB  # of one destination's queue on disk; beyond it the oldest are dropped
    controller_url: str | None = field(default=None, repr=False)  # of a PostgreSQL database; None: a file in data_dir
    task_retention_days: int = 30  # how long finished tasks are kept
    ask_alarm_s: int = 300  # how long nobody may have received an ask before that is an alarm
    max_task_value_bytes: int = MIB  # of a task's input, context or result, and of a checkpoint, as JSON
    deliverables_url: str | None = None  # s3://, gs:// or az:// BUCKET/PREFIX, or file://; None: a folder in data_dir
    max_deliverable_bytes: int = 1024 * MIB  # of one content; 5 GiB at most
    max_task_deliverables_bytes: int = 10 * 1024 * MIB  # of all deliverables of a task, with all versions
    webhook_allow_private: bool = False  # webhooks may go to private networks (10/8, 172.16/12, 192.168/16, …)
    webhook_allow_hosts: tuple[str, ...] = ()  # HOST or HOST:PORT, wherever they are: also this machine, also http
    webhook_retention_days: int = 30  # how long deliveries are kept
    secret_key: str | None = field(default=None, repr=False)  # commas between several; None: a file in data_dir

    def __post_init__(self) -> None:
        """Check every range."""
        for name in (
            "max_body_bytes",
            "max_inflated_bytes",
            "max_waiting_bytes",
            "checkpoint_wal_bytes",
            "sql_max_rows",
            "task_retention_days",
            "ask_alarm_s",
            "webhook_retention_days",
            "max_task_value_bytes",
            "max_deliverable_bytes",
            "max_task_deliverables_bytes",
        ):
            _at_least(name, getattr(self, name), 1)
        _at_least("forward_max_bytes", self.forward_max_bytes, MIB)
        _at_least("memory_limit_bytes", self.memory_limit_bytes, 64 * MIB)
        _check_controller_url(self.controller_url)
        _check_deliverables(self.deliverables_url, self.max_deliverable_bytes)
        _at_least("lost_after_s", self.lost_after_s, 1)
        _at_least("sql_timeout_s", self.sql_timeout_s, 0.001)
        _at_least("query_threads", self.query_threads, 1)
        for name in ("port", "grpc_port"):
            port = getattr(self, name)
            if port is not None and not 0 <= port <= 65535:
                raise ConfigurationError(name, f"must be between 0 and 65535, got {port}")
        if not is_loopback(self.host):
            raise ConfigurationError(
                "host", f"{self.host!r} is not a loopback address; without API keys Milepost listens on loopback only"
            )

    @property
    def database_path(self) -> Path:
        """The DuckDB file."""
        return self.data_dir / "milepost.duckdb"

    def read_price_file(self) -> tuple[Path, str] | None:
        """Return the path and text of the user's own prices, None if there are none.

        Raises:
            ConfigurationError: the file cannot be read.
        """
        path = self.price_file or self.data_dir / "milepost.toml"
        if self.price_file is None and not path.exists():
            return None
        try:
            return path, path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise ConfigurationError("price_file", f"{path} cannot be read ({reason}); name a TOML file") from error

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ, **given: Any) -> CollectorConfig:
        """Read MILEPOST_<FIELD> variables, lists with commas between; values in `given` that are not None win.

        Raises:
            ConfigurationError: a variable does not parse or is out of range.
        """
        values = {name: value for name, value in given.items() if value is not None}
        for setting in fields(cls):
            text = environ.get(variable_name(setting.name))
            if text and setting.name not in values:
                values[setting.name] = _parse(setting.name, str(setting.type), text)
        return cls(**values)


def variable_name(field_name: str) -> str:
    """Return the environment variable of a field."""
    return f"MILEPOST_{field_name.upper()}"


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address means this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _at_least(name: str, value: float, limit: float) -> None:
    if value < limit:
        raise ConfigurationError(name, f"must be at least {limit:g}, got {value:g}")


def _check_controller_url(url: str | None) -> None:
    if url is not None and not url.startswith(("postgresql://", "postgres://")):
        scheme = url.partition(":")[0][:40]  # the rest may hold a password
        raise ConfigurationError("controller_url", f"expected postgresql://HOST/DATABASE, got {scheme}:…")


def _check_deliverables(url: str | None, max_bytes: int) -> None:
    scheme, separator, _ = (url or "file://").partition("://")
    if scheme not in DELIVERABLE_SCHEMES or not separator:
        raise ConfigurationError(
            "deliverables_url", f"expected one of {', '.join(DELIVERABLE_SCHEMES)} before ://, got {scheme[:40]!r}"
        )
    if max_bytes > MAX_DELIVERABLE_BYTES:
        raise ConfigurationError("max_deliverable_bytes", f"must be at most {MAX_DELIVERABLE_BYTES}, got {max_bytes}")


def _bool(text: str) -> bool:
    if text.lower() not in ("1", "true", "yes", "0", "false", "no"):
        raise ValueError(text)
    return text.lower() in ("1", "true", "yes")


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _parse(name: str, type_name: str, text: str) -> object:
    parse: Any = {
        "Path": Path,
        "int": int,
        "float": float,
        "int | None": int,
        "Path | None": Path,
        "tuple[str, ...]": _list,
        "bool": _bool,
    }.get(type_name, str)
    try:
        return parse(text)
    except ValueError as error:
        raise ConfigurationError(variable_name(name), f"expected {type_name}, got {text!r}") from error
