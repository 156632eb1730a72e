"""MLPerf's early-stopping bound: how few late requests a run must have to show that a share of all requests is in time.

If exactly the wanted share p of all requests were in time, then of n requests t or fewer would be late with the probability
binom.cdf(t, n, 1 - p). A run passes if that is at most 1 - confidence: its result is then no luck. At a confidence of 0.99
and p = 0.99 that takes 459 requests without a late one, 662 with one late.

Source: MLPerf Inference Rules, appendix "Early Stopping Criterion", with the tolerance 0 of the Server scenario; LoadGen
computes the same in ``early_stopping.cc``.
"""

from typing import Final

from scipy.stats import binom

CONFIDENCE: Final = 0.99


def is_shown(requests: int, late: int, share: float, confidence: float = CONFIDENCE) -> bool:
    """Whether a run of so many requests shows that at least ``share`` of all requests is in time."""
    return bool(requests > 0 and binom.cdf(late, requests, 1 - share) <= 1 - confidence)


def needed_requests(late: int, share: float, confidence: float = CONFIDENCE) -> int:
    """The fewest requests that show it when ``late`` of them are late; ``share`` is below 1."""
    low, high = late, 2 * late + 1
    while not is_shown(high, late, share, confidence):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_shown(middle, late, share, confidence) else (middle, high)
    return high
