"""Settings of a client: one frozen dataclass, and the one place that reads the environment.

Precedence: an argument, then `MILEPOST_*`, then the `OTEL_*` variable of the same meaning, then the default.
`OTEL_EXPORTER_OTLP_ENDPOINT` is left alone on purpose: it names an OTLP receiver, which does not speak Milepost's wire
format.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from milepost.errors import ConfigurationError

__all__ = ["DEFAULT_ENDPOINT", "Config", "ScrubHook"]

DEFAULT_ENDPOINT = "http://127.0.0.1:4600"

ScrubHook = Callable[[tuple[str, ...], Any], Any]
"""Called with the path to a value (keys and indexes as text) and the value; returns what is recorded instead."""

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_WHOLE_NUMBERS = {  # field: (variable, least, most)
    "flush_interval_ms": ("MILEPOST_FLUSH_INTERVAL_MS", 10, 60_000),
    "flush_events": ("MILEPOST_FLUSH_EVENTS", 1, 5_000),
    "max_queue_events": ("MILEPOST_MAX_QUEUE_EVENTS", 16, 10_000_000),
    "max_queue_bytes": ("MILEPOST_MAX_QUEUE_BYTES", 65_536, 16 * 2**30),
    "max_value_bytes": ("MILEPOST_MAX_VALUE_BYTES", 256, 64 * 2**20),
    "exit_timeout_ms": ("MILEPOST_EXIT_TIMEOUT_MS", 0, 600_000),
    "request_timeout_ms": ("MILEPOST_REQUEST_TIMEOUT_MS", 100, 600_000),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """Settings of a client.

    Raises:
        ConfigurationError: a setting is malformed or out of range; the message names it and its limits.
    """

    endpoint: str = DEFAULT_ENDPOINT  # the collector's base address; events go to {endpoint}/v1/events
    agent: str | None = None  # name of the agent whose runs these are; None: the service's name, if any
    service_name: str | None = None
    service_version: str | None = None
    resource_attributes: Mapping[str, str] = field(default_factory=dict)
    capture: bool = True  # False: inputs, outputs, checkpoint states and log fields are not recorded
    disabled: bool = False  # True: nothing is recorded and nothing is sent
    flush_interval_ms: int = 200  # longest wait of an event for its batch
    flush_events: int = 512  # this many waiting events are sent without waiting for the interval
    max_queue_events: int = 50_000  # beyond these two limits events are dropped and counted
    max_queue_bytes: int = 64 * 2**20
    max_value_bytes: int = 256 * 2**10  # JSON text of one input, output or body; longer values are cut, visibly
    exit_timeout_ms: int = 2_000  # longest delay of the interpreter's exit by the last flush
    request_timeout_ms: int = 10_000
    scrub: ScrubHook | None = None

    def __post_init__(self) -> None:
        _check_endpoint(self.endpoint)
        for name, (_, least, most) in _WHOLE_NUMBERS.items():
            _check_whole_number(name, getattr(self, name), least, most)
        for name in ("agent", "service_name", "service_version"):
            _check_text(name, getattr(self, name))
        if self.scrub is not None and not callable(self.scrub):
            raise ConfigurationError("scrub", f"must be a callable taking (path, value), got {self.scrub!r}")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **settings: Any) -> Config:
        """Return the configuration of the environment, overridden by the settings that are given and not None.

        environ: the variables to read; None: those of the process.

        Raises:
            ConfigurationError: a variable or setting is malformed, out of range or unknown.
        """
        given = {name: value for name, value in settings.items() if value is not None}
        unknown = sorted(given.keys() - cls.__dataclass_fields__.keys())
        if unknown:
            raise ConfigurationError(unknown[0], f"no such setting; there are {', '.join(cls.__dataclass_fields__)}")
        return cls(**_read(os.environ if environ is None else environ) | given)

    @property
    def agent_name(self) -> str | None:
        """The agent's name: the setting, or else the service's name."""
        return self.agent or self.service_name


def _read(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings that the environment names."""
    found: dict[str, Any] = _read_resource(environ)
    for name, variable in (("endpoint", "MILEPOST_ENDPOINT"), ("agent", "MILEPOST_AGENT")):
        if text := environ.get(variable, "").strip():
            found[name] = text
    if "endpoint" in found:
        _check_endpoint(found["endpoint"], "MILEPOST_ENDPOINT")
    for name, (variable, least, most) in _WHOLE_NUMBERS.items():
        if text := environ.get(variable, "").strip():
            found[name] = _whole_number(variable, text, least, most)
    if text := environ.get("MILEPOST_CAPTURE", "").strip():
        found["capture"] = _truth("MILEPOST_CAPTURE", text)
    if text := environ.get("MILEPOST_DISABLED", "").strip():
        found["disabled"] = _truth("MILEPOST_DISABLED", text)
    elif environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":  # as its specification has it: only "true"
        found["disabled"] = True
    return found


def _read_resource(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return service name, version and the other attributes of `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME`."""
    attributes = {}
    for pair in environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","):
        key, sign, value = pair.partition("=")
        if sign and key.strip():
            attributes[key.strip()] = unquote(value.strip())
    name, version = attributes.pop("service.name", None), attributes.pop("service.version", None)
    name = environ.get("OTEL_SERVICE_NAME", "").strip() or name
    found = {"service_name": name, "service_version": version, "resource_attributes": attributes}
    return {key: value for key, value in found.items() if value}


def _truth(variable: str, text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ConfigurationError(variable, f"must be on or off, got {text!r}")


def _whole_number(variable: str, text: str, least: int, most: int) -> int:
    try:
        number = int(text)
    except ValueError:
        raise ConfigurationError(variable, f"must be a whole number from {least} to {most}, got {text!r}") from None
    _check_whole_number(variable, number, least, most)
    return number


def _check_whole_number(name: str, value: object, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ConfigurationError(name, f"must be a whole number from {least} to {most}, got {value!r}")


def _check_text(name: str, value: object) -> None:
    if value is not None and not isinstance(value, str):
        raise ConfigurationError(name, f"must be text, got {value!r}")


def _check_endpoint(endpoint: object, name: str = "endpoint") -> None:
    hint = f"for example {DEFAULT_ENDPOINT}"
    if not isinstance(endpoint, str):
        raise ConfigurationError(name, f"must be an address, {hint}, got {endpoint!r}")
    try:
        parts = urlsplit(endpoint)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise ConfigurationError(name, f"is not an address ({error}), {hint}, got {endpoint!r}") from None
    if not usable or parts.query or parts.fragment:
        raise ConfigurationError(
            name, f"must be http:// or https:// with a host and no query, {hint}, got {endpoint!r}"
        )
