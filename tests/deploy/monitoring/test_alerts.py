"""A real Prometheus and Alertmanager watch the real service under load: every alert fires and resolves, and every expression of
the rules and the dashboard is answered."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from models.card import CARD_FILE, read_card
from models.reference import QUANTITIES, Reference
from models.stability import population_stability_index, psi_limit
from tests.deploy.monitoring.prometheus import AlertKey
from tests.deploy.monitoring.scenario import ALERTS, DRIFT, LIMIT, OBSERVED, RECORDED, SHOWN, Outcome, Scenario
from tests.support.processes import ROOT

pytestmark = [pytest.mark.served, pytest.mark.slow]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return Scenario(tmp_path_factory.mktemp("monitoring")).play()


@pytest.mark.parametrize("alert", ALERTS, ids=" ".join)
def test_alert_fires_and_resolves(outcome: Outcome, alert: AlertKey) -> None:
    assert outcome.reports.states[alert][:2] == ["firing", "resolved"]
    for report in outcome.reports.of(alert):
        description = report["annotations"]["description"]
        assert re.search(r"\d", description), description
        assert "error" not in description, description


@pytest.mark.parametrize("expression", [*RECORDED, *SHOWN])
def test_expression_is_answered_with_data(outcome: Outcome, expression: str) -> None:
    assert outcome.answers[expression]


def test_population_stability_index_is_that_of_an_offline_comparison(outcome: Outcome) -> None:
    reference = read_reference(outcome.catalogue)
    for quantity in QUANTITIES:
        (index,), (limit,) = (by_bin_of(outcome.drift[series], quantity).values() for series in (DRIFT, LIMIT))
        by_bin = by_bin_of(outcome.drift[OBSERVED], quantity)
        counts = np.array([by_bin[name] for name in reference.bins(quantity)])
        assert len(by_bin) == len(counts)
        assert index == pytest.approx(population_stability_index(counts, reference.counts(quantity)), rel=1e-9)
        assert limit == pytest.approx(psi_limit(len(counts), float(counts.sum()), reference.n), rel=1e-9)


def by_bin_of(series: list[dict[str, Any]], quantity: str) -> dict[str, float]:
    """The values of a quantity's series by bin."""
    mine = [one for one in series if one["metric"]["quantity"] == quantity]
    return {one["metric"].get("bin", ""): float(one["value"][1]) for one in mine}


def read_reference(catalogue: Path) -> Reference:
    card = read_card(catalogue / "digits" / CARD_FILE)
    assert card.reference is not None
    return card.reference


def test_document_lists_every_metric_and_no_other(outcome: Outcome) -> None:
    families = {family.name: family for family in text_string_to_metric_families(outcome.metrics)}
    exported = {name + "_total" * (family.type == "counter") for name, family in families.items()}
    documented = re.findall(r"^\| `(\w+)(?:\{.*?\})?` \|", section("Metrics"), re.MULTILINE)
    assert len(documented) == len(set(documented))
    assert set(documented) == exported


def section(title: str) -> str:
    """The text of a section of docs/monitoring.md."""
    text = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    return next(part for part in text.split("\n## ") if part.startswith(f"{title}\n"))
