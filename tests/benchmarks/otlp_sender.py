"""The process that sends OTLP; see `sender`, which it is but for the bodies and the answers.

python -m tests.benchmarks.otlp_sender
"""

from __future__ import annotations

import msgspec

from tests.benchmarks.loads import Template
from tests.benchmarks.otlp_loads import OtlpLoad, bodies
from tests.benchmarks.sender import Client, serve

MODULE = "tests.benchmarks.otlp_sender"
PATH, CONTENT_TYPE = "/v1/traces", "application/x-protobuf"


class OtlpClient(Client):
    """One connection that sends a request as soon as the one before is acknowledged."""

    def __init__(self, url: str, load: OtlpLoad, number: int) -> None:
        super().__init__(url, PATH, CONTENT_TYPE, bodies(load, number), is_gzip=load.gzip)

    def count(self, status: bytes, body: bytes, part: Template) -> None:
        """Count a request; an answer that says anything speaks of rejected spans."""
        if status != b"200" or body:
            raise RuntimeError(f"answer {status!r}: {body[:200]!r}")
        self.accepted += part.size
        self.spans += part.spans


if __name__ == "__main__":
    serve(lambda url, load, number: OtlpClient(url, msgspec.convert(load, OtlpLoad), number))
