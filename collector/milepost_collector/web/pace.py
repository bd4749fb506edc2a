"""How often one address may open links: tokens are not to be tried."""

from __future__ import annotations

from collections import OrderedDict

MOST_ADDRESSES = 10_000


class Pace:
    """A bucket of tries for each address, the least recent of which are forgotten.

    burst: tries at once; per_s: how many come back each second. For one thread.
    """

    def __init__(self, *, burst: int = 120, per_s: float = 2.0) -> None:
        self._burst = burst
        self._per_s = per_s
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, address: str, now_s: float) -> float:
        """Take a try; return 0, or how long to wait before the next one there is. now_s: monotonic."""
        left, then_s = self._left.pop(address, (float(self._burst), now_s))
        left = min(float(self._burst), left + (now_s - then_s) * self._per_s)
        taken = left >= 1
        self._left[address] = (left - 1 if taken else left, now_s)
        if len(self._left) > MOST_ADDRESSES:
            self._left.popitem(last=False)
        return 0.0 if taken else (1 - left) / self._per_s
