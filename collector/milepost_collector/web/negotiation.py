"""Which of the formats we can answer in a client would like best."""

from __future__ import annotations

from starlette.requests import Request

from milepost_collector.web.problems import NotAcceptableError

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"
CSV = "text/csv"
PARQUET = "application/vnd.apache.parquet"


def preferred(request: Request, offered: tuple[str, ...]) -> str:
    """Return the offered media type that the Accept header rates highest; the first one when it rates none higher.

    Raises:
        NotAcceptableError: it excludes all of them.
    """
    header = request.headers.get("accept", "*/*") or "*/*"
    rated = [(_quality(header, media_type), -place, media_type) for place, media_type in enumerate(offered)]
    quality, _, best = max(rated)
    if quality <= 0:
        raise NotAcceptableError(header, offered)
    return best


def takes_gzip(request: Request) -> bool:
    """Return whether the client can read a body that is compressed with gzip."""
    for item in request.headers.get("accept-encoding", "").split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        if name in ("gzip", "*"):
            return _q(parameters) > 0
    return False


def _quality(header: str, media_type: str) -> float:
    """Return the rating by the most specific range that matches (RFC 9110, section 12.5.1)."""
    kind = media_type.partition("/")[0]
    specific = {media_type: 3, f"{kind}/*": 2, "*/*": 1}
    matches = []
    for item in header.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        if name in specific:
            matches.append((specific[name], _q(parameters)))
    return max(matches)[1] if matches else 0.0


def _q(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
