"""Writes what is made from the panels and the rules: run ``python -m deploy.monitoring`` after changing either."""

from pathlib import Path

from deploy.monitoring.dashboard import dashboard_json
from deploy.monitoring.rules import RULES, prometheus_rule


def generated() -> dict[Path, str]:
    """The text of every file that is made."""
    return {RULES.with_name("dashboard.json"): dashboard_json(), RULES.with_name("prometheus-rule.yaml"): prometheus_rule()}


if __name__ == "__main__":
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")
