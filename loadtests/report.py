"""Reports of load tests: checks that pass or fail, and Markdown tables."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

YES_NO: Final = {True: "yes", False: "**no**"}


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of a report, what was measured, and whether the condition holds."""

    name: str
    limit: str
    measured: str
    passed: bool


class Report(ABC):
    """The outcome of a run."""

    @abstractmethod
    def checks(self) -> list[Check]:
        """Evaluate all conditions."""

    @property
    def passed(self) -> bool:
        """Whether all conditions hold."""
        return all(check.passed for check in self.checks())

    def check_table(self) -> str:
        """The checks as a Markdown table."""
        rows = ((check.name, check.limit, check.measured, YES_NO[check.passed]) for check in self.checks())
        return table(("check", "limit", "measured", "passed"), rows)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Format a Markdown table; all columns but the first are aligned to the right."""
    rule = ["---"] + ["---:"] * (len(heads) - 1)
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, rule, *rows))
