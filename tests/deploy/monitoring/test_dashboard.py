"""The files that `python -m deploy.monitoring` writes are up to date, and the dashboard's parts have what they need."""

import json
import re

import pytest

from deploy.monitoring.panels import ROWS
from deploy.monitoring.rules import RULES
from tests.support.processes import ROOT

PANELS = [panel for panels in ROWS.values() for panel in panels]
GRAFANA_VARIABLES = {"namespace", "model", "__rate_interval"}


def test_generated_files_are_up_to_date() -> None:
    pytest.importorskip("grafana_foundation_sdk", reason="grafana-foundation-sdk needs Python 3.11")
    from deploy.monitoring.__main__ import generated

    for path, text in generated().items():
        assert path.read_text(encoding="utf-8") == text, path.name


def test_dashboard_has_every_panel_and_variable() -> None:
    dashboard = json.loads(RULES.with_name("dashboard.json").read_text(encoding="utf-8"))
    shown = {panel["title"]: panel for panel in dashboard["panels"] if panel["type"] != "row"}
    assert list(shown) == [panel.title for panel in PANELS]
    for panel in PANELS:
        targets = [(target["expr"], target["legendFormat"]) for target in shown[panel.title]["targets"]]
        assert targets == [(query.expression, query.legend) for query in panel.queries]
        assert shown[panel.title]["datasource"]["uid"] == "${datasource}"
    variables = {variable["name"] for variable in dashboard["templating"]["list"]}
    used = {name for panel in PANELS for query in panel.queries for name in re.findall(r"\$(\w+)", query.expression)}
    assert used == GRAFANA_VARIABLES
    assert variables == {"datasource", *GRAFANA_VARIABLES} - {"__rate_interval"}


def test_document_describes_every_panel_and_no_other() -> None:
    text = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    (part,) = [part for part in text.split("\n## ") if part.startswith("Dashboard\n")]
    assert re.findall(r"^\| ([^|`]+?) \|", part, re.MULTILINE)[2:] == [panel.title for panel in PANELS]
