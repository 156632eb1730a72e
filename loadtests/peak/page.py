"""The page of a load test."""

from pathlib import Path

from loadtests.peak.results import LoadReport


def write(report: LoadReport, folder: Path) -> None:
    """Write the page of a report and its charts to a folder."""
