"""By how much the start of a scheduled instant is put off: spread out, yet known in advance."""

from __future__ import annotations

from hashlib import blake2b


def jitter_ms(schedule_id: str, nominal_at: int, max_jitter_ms: int) -> int:
    """Return the delay for one instant of one schedule, in [0, max_jitter_ms].

    The same arguments give the same delay in every process and version, so that a preview is true; different schedules
    and instants are spread evenly.

    Raises:
        ValueError: max_jitter_ms is below 0.
    """
    if max_jitter_ms < 0:
        raise ValueError(f"max_jitter_ms must be at least 0, got {max_jitter_ms}; use 0 for no jitter")
    digest = blake2b(f"{nominal_at}/{schedule_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) * (max_jitter_ms + 1) >> 64
