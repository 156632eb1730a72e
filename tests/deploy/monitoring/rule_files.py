"""The rules of deploy/monitoring as they are, and with all of their durations divided, for tests that cannot wait for hours."""

import re
from pathlib import Path
from typing import Any, Final

import yaml

from deploy.monitoring.rules import RULES

UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
WINDOW: Final = re.compile(r"(?<=\[)(\d+)(ms|s|m|h|d)(?=\])")
DURATION: Final = re.compile(r"(\d+)(ms|s|m|h|d)")

Rule = dict[str, Any]


def read_rules() -> dict[str, Any]:
    """The contents of rules.yaml."""
    found: dict[str, Any] = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return found


def all_rules(key: str = "") -> list[Rule]:
    """The recording rules, the alerts or both: those with the key ``record`` or ``alert``."""
    return [rule for group in read_rules()["groups"] for rule in group["rules"] if key in rule or not key]


def write_scaled_rules(path: Path, factor: float) -> None:
    """Write the rules with every duration divided by ``factor``; every group is evaluated at Prometheus' own interval."""

    def scaled(match: "re.Match[str]") -> str:
        seconds = int(match[1]) * UNITS[match[2]] / factor
        return f"{max(1, round(seconds * 1000))}ms"

    contents = read_rules()
    for group in contents["groups"]:
        group.pop("interval", None)
        for rule in group["rules"]:
            rule["expr"] = WINDOW.sub(scaled, rule["expr"])
            if "for" in rule:
                rule["for"] = DURATION.sub(scaled, rule["for"])
    path.write_text(yaml.safe_dump(contents, sort_keys=False), encoding="utf-8")
