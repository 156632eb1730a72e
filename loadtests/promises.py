"""What a long run must show, and whether it was seen."""

from dataclasses import dataclass
from typing import Final

# A 5xx that says what is the matter and when to try again.
DELIBERATE: Final = 503


@dataclass(frozen=True, slots=True)
class Promise:
    """One line of a verdict, in words."""

    what: str
    wanted: str
    measured: str
    kept: bool


def failures(statuses: dict[int, int]) -> int:
    """Answers that are nobody's fault but the service's, of the answers by status."""
    return sum(count for status, count in statuses.items() if status >= 500 and status != DELIBERATE)
