"""Whether a delivery comes from somebody who knows the secret: on the raw body, before anything of it is read.

GitHub: `X-Hub-Signature-256: sha256=<hex>` over the body. Stripe: `Stripe-Signature: t=<time>,v1=<hex>[,v1=…]` over
`time.body`. Slack: `X-Slack-Signature: v0=<hex>` over `v0:time:body`, the time in `X-Slack-Request-Timestamp`. Standard
Webhooks 1.0: `webhook-signature: v1,<base64>[ v1,…]` over `id.time.body`. Everything that is compared is compared in
constant time, and every secret with every signature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets as random_source
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from milepost.wire.triggers import Signature
from milepost_collector.errors import InvalidParameterError
from milepost_collector.triggers.errors import DeliveryRefusedError

Headers = Mapping[str, str]  # names in lower case

STANDARD_PREFIX = "whsec_"
STANDARD_KEY_BYTES = (24, 64)
GIVEN_BY_SENDER = ("stripe", "slack")  # whose secrets are made by the sender, not here
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_BODY_DIGEST = "sha256:"


def verify(signature: Signature, secrets: Sequence[str], headers: Headers, body: bytes, *, now_s: float) -> None:
    """Return when the delivery is signed with any of the secrets. now_s: seconds since the Unix epoch.

    Raises:
        DeliveryRefusedError: it is not; says what is missing or wrong, never what would be right.
    """
    _CHECKS[signature.scheme](signature, secrets, headers, body, now_s)


def delivery_id(signature: Signature, headers: Headers, payload: object, body: bytes) -> str:
    """Return what makes two deliveries the same: the sender's id, or else the digest of the body."""
    known = _sender_id(signature, headers, payload)
    return known[:200] if known else _BODY_DIGEST + hashlib.sha256(body).hexdigest()


def secret_headers(signature: Signature | None) -> frozenset[str]:
    """Return the headers that nobody is shown: what proves, and what might be used elsewhere."""
    own = {signature.header.lower()} if signature is not None and signature.scheme == "hmac" else set()
    return _SECRET_HEADERS | own


def new_secret(signature: Signature) -> str:
    """Return a secret of 32 random bytes in the form that the scheme wants."""
    key = random_source.token_bytes(32)
    if signature.scheme == "standard-webhooks":
        return STANDARD_PREFIX + base64.b64encode(key).decode()
    return key.hex()


def check_secret(signature: Signature, secret: str) -> None:
    """Refuse a secret that the scheme cannot use.

    Raises:
        InvalidParameterError: it is not one; the text does not repeat it.
    """
    if signature.scheme == "standard-webhooks" and _standard_key_size(secret) not in range(
        STANDARD_KEY_BYTES[0], STANDARD_KEY_BYTES[1] + 1
    ):
        raise InvalidParameterError("secret", "…", "give whsec_ and 24 to 64 bytes in base64")
    if not secret.isprintable() or not secret.isascii():
        raise InvalidParameterError("secret", "…", "use printable ASCII characters")


def _standard_key_size(secret: str) -> int:
    try:
        return len(base64.b64decode(secret.removeprefix(STANDARD_PREFIX), validate=True))
    except binascii.Error:
        return 0


def _github(signature: Signature, secrets: Sequence[str], headers: Headers, body: bytes, now_s: float) -> None:
    given = _header(signature, headers, "X-Hub-Signature-256")
    _match(signature, [given], ("sha256=" + _hex(secret, body) for secret in secrets))


def _stripe(signature: Signature, secrets: Sequence[str], headers: Headers, body: bytes, now_s: float) -> None:
    given = _header(signature, headers, "Stripe-Signature")
    parts = [part.partition("=")[::2] for part in given.split(",")]
    time = next((value for name, value in parts if name == "t"), "")
    _check_time(signature, "t in Stripe-Signature", time, now_s)
    signed = time.encode() + b"." + body
    _match(signature, [value for name, value in parts if name == "v1"], (_hex(secret, signed) for secret in secrets))


def _slack(signature: Signature, secrets: Sequence[str], headers: Headers, body: bytes, now_s: float) -> None:
    given = _header(signature, headers, "X-Slack-Signature")
    time = _header(signature, headers, "X-Slack-Request-Timestamp")
    _check_time(signature, "X-Slack-Request-Timestamp", time, now_s)
    signed = b"v0:" + time.encode() + b":" + body
    _match(signature, [given], ("v0=" + _hex(secret, signed) for secret in secrets))


def _standard(signature: Signature, secrets: Sequence[str], headers: Headers, body: bytes, now_s: float) -> None:
    from standardwebhooks import Webhook  # its own imports are not needed by a collector without such triggers

    message_id = _header(signature, headers, "webhook-id")
    time = _header(signature, headers, "webhook-timestamp")
    given = _header(signature, headers, "webhook-signature")
    _check_time(signature, "webhook-timestamp", time, now_s)
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise DeliveryRefusedError(signature.scheme, "the body is not UTF-8, so it cannot have been signed") from error
    moment = datetime.fromtimestamp(int(time), UTC)
    # The time's text is what was signed: with leading zeros it would not be what the library signs.
    canonical = given.split(" ") if time == str(int(time)) else []
    _match(signature, canonical, (Webhook(secret).sign(message_id, moment, text) for secret in secrets))


def _hmac(signature: Signature, secrets: Sequence[str], headers: Headers, body: bytes, now_s: float) -> None:
    given = _header(signature, headers, signature.header)
    digests = (hmac.new(secret.encode(), body, signature.algorithm).digest() for secret in secrets)
    encode = bytes.hex if signature.encoding == "hex" else _base64
    _match(signature, [given], (signature.prefix + encode(digest) for digest in digests))


def _bearer(signature: Signature, secrets: Sequence[str], headers: Headers, body: bytes, now_s: float) -> None:
    given = _header(signature, headers, "Authorization")
    _match(signature, [given], (f"Bearer {secret}" for secret in secrets))


def _basic(signature: Signature, secrets: Sequence[str], headers: Headers, body: bytes, now_s: float) -> None:
    given = _header(signature, headers, "Authorization")
    _match(signature, [given], ("Basic " + _base64(f"{signature.user}:{secret}".encode()) for secret in secrets))


_Check = Callable[[Signature, Sequence[str], Headers, bytes, float], None]
_CHECKS: dict[str, _Check] = {
    "github": _github,
    "stripe": _stripe,
    "slack": _slack,
    "standard-webhooks": _standard,
    "hmac": _hmac,
    "bearer": _bearer,
    "basic": _basic,
}
_SECRET_HEADERS = frozenset(
    {
        "authorization", "proxy-authorization", "cookie", "x-hub-signature", "x-hub-signature-256", "stripe-signature",
        "x-slack-signature", "webhook-signature", "x-api-key",
    }
)  # fmt: skip


def _header(signature: Signature, headers: Headers, name: str) -> str:
    value = headers.get(name.lower())
    if not value:
        raise DeliveryRefusedError(signature.scheme, f"the header {name} is missing; {_REMEDY}")
    return value


def _check_time(signature: Signature, where: str, text: str, now_s: float) -> None:
    if not _TIMESTAMP.fullmatch(text):
        raise DeliveryRefusedError(signature.scheme, f"{where} is not a time in seconds; {_REMEDY}")
    if abs(now_s - int(text)) > signature.tolerance_s:
        raise DeliveryRefusedError(
            signature.scheme,
            f"{where} lies {now_s - int(text):+.0f} s from now, {signature.tolerance_s} s are allowed; set the clocks, "
            "or raise tolerance_s",
        )


_REMEDY = "give the sender this trigger's address and secret"


def _match(signature: Signature, given: Sequence[str], expected: Iterable[str]) -> None:
    given_bytes = [text.encode("utf-8", "surrogateescape") for text in given]
    # A list, not a generator: how long it takes must not tell which of them fits.
    found = [hmac.compare_digest(right.encode(), one) for right in expected for one in given_bytes]
    if not any(found):
        raise DeliveryRefusedError(signature.scheme, f"the signature does not fit the body; {_REMEDY}")


def _hex(secret: str, signed: bytes) -> str:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _sender_id(signature: Signature, headers: Headers, payload: object) -> str | None:
    match signature.scheme:
        case "github":
            return headers.get("x-github-delivery")
        case "standard-webhooks":
            return headers.get("webhook-id")
        case "stripe":
            return _text_in(payload, "id")
        case "slack":
            return _text_in(payload, "event_id") or _text_in(payload, "trigger_id")
    return headers.get(signature.delivery_header.lower()) if signature.delivery_header else None


def _text_in(payload: object, name: str) -> str | None:
    value = payload.get(name) if isinstance(payload, dict) else None
    return value if isinstance(value, str) else None
