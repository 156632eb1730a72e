"""Reports of load tests: figures held against bounds, Markdown tables, and the command line of a test."""

import argparse
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from loadtests.processes import TOPOLOGIES, Server, start_service

YES_NO: Final = {True: "yes", False: "**no**", None: "not measured"}


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound on a figure, whose unit is in ``form``; ``aim`` is what is hoped for beyond it."""

    value: float
    form: str = "{:.3g}"
    at_least: bool = False
    aim: float | None = None

    def __str__(self) -> str:
        text = f"{'at least' if self.at_least else 'at most'} {self.form.format(self.value)}"
        return text if self.aim is None else f"{text}, aim {self.aim:g}"

    def allows(self, figure: float) -> bool:
        """Whether a figure reaches the bound."""
        return figure >= self.value if self.at_least else figure <= self.value


NONE: Final = Bound(0, "{:,}")


@dataclass(frozen=True, slots=True)
class Check:
    """A bound, the figure that was measured, and whether it is within the bound; None if it was not measured."""

    name: str
    bound: Bound
    measured: float | None

    @property
    def passed(self) -> bool | None:
        """Whether the figure is within the bound."""
        return None if self.measured is None else self.bound.allows(self.measured)

    def cells(self) -> list[str]:
        """The row of a table of checks."""
        measured = "" if self.measured is None else self.bound.form.format(self.measured)
        return [self.name, str(self.bound), measured, YES_NO[self.passed]]


def check_table(checks: Iterable[Check]) -> str:
    """Format checks as a Markdown table."""
    return table(("check", "wanted", "measured", "passed"), (check.cells() for check in checks))


class Report(ABC):
    """The outcome of a run."""

    @abstractmethod
    def checks(self) -> list[Check]:
        """Hold the figures against their bounds."""

    @abstractmethod
    def text(self) -> str:
        """All figures, as Markdown."""

    @property
    def passed(self) -> bool:
        """Whether every figure was measured and is within its bound."""
        return all(check.passed for check in self.checks())


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Format a Markdown table; all columns but the first are aligned to the right."""
    rule = ["---"] + ["---:"] * (len(heads) - 1)
    return "\n".join(map(table_row, (heads, rule, *rows)))


def table_row(cells: Sequence[str]) -> str:
    """Format one row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def run_test(
    parser: argparse.ArgumentParser, arguments: Sequence[str] | None, test: Callable[[Server, argparse.Namespace], Report]
) -> int:
    """Run a load test on a service of the topology that the command line names, and print its report; 1 if a check fails."""
    parser.add_argument("--topology", choices=TOPOLOGIES, default="embedded")
    options = parser.parse_args(arguments)
    with start_service(options.topology) as server:
        report = test(server, options)
    sys.stdout.write(report.text() + "\n")
    return 0 if report.passed else 1
