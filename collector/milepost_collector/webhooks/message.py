"""An event as it is sent: its body, and the headers of Standard Webhooks 1.0. Pure."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime

from milepost_collector.errors import InvalidParameterError

SECRET_PREFIX = "whsec_"
SECRET_BYTES = 32
SHORTEST_SECRET, LONGEST_SECRET = 24, 64  # bytes, by the specification
USER_AGENT = "milepost-webhooks"


def headers(event_id: str, now_ms: int, body: bytes, secrets: list[str]) -> dict[str, str]:
    """Return the headers of one try. event_id: the same in every try, without dots. secrets: of each a signature, the
    newest first; a receiver that knows any of them finds its own."""
    from standardwebhooks.webhooks import Webhook

    moment = datetime.fromtimestamp(now_ms // 1000, UTC)
    text = body.decode()
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "webhook-id": event_id,
        "webhook-timestamp": str(now_ms // 1000),
        "webhook-signature": " ".join(Webhook(secret).sign(event_id, moment, text) for secret in secrets),
    }


def make_secret(random_bytes: bytes) -> str:
    """Return a secret as receivers configure it."""
    return SECRET_PREFIX + base64.b64encode(random_bytes).decode()


def check_secret(secret: str) -> None:
    """Refuse what is not a secret.

    Raises:
        InvalidParameterError: it is not `whsec_` and base64 of 24 to 64 bytes. It is not repeated.
    """
    try:
        size = len(base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if not secret.startswith(SECRET_PREFIX) or not SHORTEST_SECRET <= size <= LONGEST_SECRET:
        raise InvalidParameterError(
            "secret", "…", f"use {SECRET_PREFIX} and base64 of {SHORTEST_SECRET} to {LONGEST_SECRET} bytes"
        )
