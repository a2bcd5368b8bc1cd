"""How much one caller may ask: a token bucket for each key, forgotten when it is full again."""

import threading
from collections.abc import Callable

from governance.agreements.indicators import number_text
from governance.ledger.errors import RateLimitError


class RateLimit:
    """Token buckets by key.

    Args:
        rate: tokens that come back each second.
        burst: tokens of a full bucket.
        clock: seconds, monotonic.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._full_after = burst / rate  # seconds
        self._buckets: dict[str, tuple[float, float]] = {}  # tokens, when counted; in that order
        self._lock = threading.Lock()

    def take(self, key: str, wanted: int = 1) -> None:
        """Take tokens, of a full bucket at most all.

        Raises:
            RateLimitError: the bucket does not hold so many.
        """
        wanted = min(wanted, self._burst)
        now = self._clock()
        with self._lock:
            self._forget(now)
            tokens, counted = self._buckets.get(key, (float(self._burst), now))
            tokens = min(float(self._burst), tokens + (now - counted) * self._rate)
            if tokens < wanted:
                raise RateLimitError(
                    f"more than {number_text(self._rate)} requests a second",
                    next_step="try again in a second",
                )
            self._buckets.pop(key, None)  # so that it comes last
            self._buckets[key] = (tokens - wanted, now)

    def _forget(self, now: float) -> None:
        """Drop buckets that are full by now, the earliest first: whoever comes anew has such."""
        while self._buckets:
            key = next(iter(self._buckets))
            if now - self._buckets[key][1] < self._full_after:
                return
            del self._buckets[key]
