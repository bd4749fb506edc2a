"""OpenTelemetry's resource attributes to our `Resource`, and the name of the producer they make."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from milepost.wire import Resource

_canonical = msgspec.json.Encoder(order="sorted").encode


class Producer(NamedTuple):
    """Who sent something. The resource is shared: it is not to be changed."""

    id: str
    resource: Resource


def producer_of(attributes: dict[str, Any]) -> Producer:
    """Return the producer that resource attributes describe; equal attributes in any order are the same producer."""
    digest = blake2b(_canonical(attributes), digest_size=8).hexdigest()
    return Producer(f"otlp-{digest}", resource_of(attributes))


def resource_of(attributes: dict[str, Any]) -> Resource:
    """Return the resource; every attribute is also kept under its own name."""
    text = {name: str(value) for name, value in attributes.items() if isinstance(value, str | int | float)}
    runtime = f"{text.get('process.runtime.name', '')} {text.get('process.runtime.version', '')}".strip()
    process_id = attributes.get("process.pid")
    return Resource(
        service_name=text.get("service.name"),
        service_version=text.get("service.version"),
        host_name=text.get("host.name"),
        process_id=process_id if type(process_id) is int else None,
        sdk_name=text.get("telemetry.sdk.name"),
        sdk_version=text.get("telemetry.sdk.version"),
        runtime=runtime or None,
        attributes=attributes or None,
    )
