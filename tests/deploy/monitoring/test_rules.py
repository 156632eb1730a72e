"""The rules are valid, do in Prometheus' own unit tests what they are for, and agree with the service, the objectives of load
tests and docs/monitoring.md."""

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest
import yaml

from deploy.monitoring.rules import RULES
from loadtests.peak.objectives import read_objectives
from models.stability import MIN_OBSERVED, psi_limit
from serving.bento.metric_paths import OTHER, SYSTEM, metric_path
from serving.bento.service_options import SERVICE_NAME
from serving.http.routes import ROUTES
from serving.process.metrics import PREFIX
from tests.deploy.monitoring.prometheus import JOB, program
from tests.deploy.monitoring.rule_files import WINDOW, Rule, all_rules
from tests.support.processes import ROOT

UNIT_TESTS: Final = Path(__file__).with_name("rules_test.yaml")
DOCUMENT: Final = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
EXPRESSIONS: Final = "\n".join(rule["expr"] for rule in all_rules())
# Paths that pages and health checks ask for again and again, and the operators' reload.
POLLED: Final = ("/models", "/models/reload")


@pytest.mark.parametrize(("command", "file"), [("check", RULES), ("test", UNIT_TESTS)])
def test_promtool_accepts_the_rules_and_passes_their_tests(command: str, file: Path) -> None:
    ended = subprocess.run([program("promtool"), command, "rules", str(file)], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_objectives_are_those_of_the_load_tests() -> None:
    objectives = read_objectives().objectives
    recorded = {
        rule["record"].rpartition(":")[2]: rule["expr"] for rule in all_rules("record") if ":objective:" in rule["record"]
    }
    assert recorded == {
        "failed_share": f"vector({objectives.failed_share:g})",
        "late_share": f"vector({1 - objectives.in_time_share:g})",
    }
    bounds = set(re.findall(r'le="([\d.]+)"', EXPRESSIONS))
    assert bounds == {f"{objectives.slo_ms / 1000:g}"}


def test_rules_of_all_windows_are_alike() -> None:
    for name in ("requests:rate", "failed_requests:ratio_rate", "late_requests:ratio_rate"):
        rules = [rule for rule in all_rules("record") if re.fullmatch(rf"{PREFIX}:{name}\d+[mhd]", rule["record"])]
        texts = set()
        for rule in rules:
            window = rule["record"].removeprefix(f"{PREFIX}:{name}")
            assert {"".join(match) for match in WINDOW.findall(rule["expr"])} == {window}
            texts.add(re.sub(rf"\b(rate|ratio_rate){window}\b", r"\1W", WINDOW.sub("W", rule["expr"])))
        assert len(rules) == 5
        assert len(texts) == 1


def test_requests_are_those_of_the_routes_that_are_not_polled() -> None:
    (pattern,) = set(re.findall(r'endpoint=~"([^"]+)"', EXPRESSIONS))
    routes = {metric_path(route.path) for route in ROUTES}
    assert {path for path in (*routes, *SYSTEM, OTHER) if re.fullmatch(pattern, path)} == routes.difference(POLLED)
    assert set(re.findall(r'runner_name="([^"]+)"', EXPRESSIONS)) == {SERVICE_NAME}


def test_drift_is_that_of_the_offline_comparison() -> None:
    (limit,) = [rule["expr"] for rule in all_rules("record") if "index_limit" in rule["record"]]
    threshold = psi_limit(1, 1, 1)
    chance = psi_limit(2, 1, float("inf")) - threshold
    assert limit.startswith(f"{threshold:g} + {chance:g} * (count")
    (drift,) = [rule["expr"] for rule in all_rules("alert") if rule["alert"] == "ImageClassifierDrift"]
    assert drift.endswith(f">= {MIN_OBSERVED}")


@pytest.mark.parametrize("rule", all_rules("alert"), ids=lambda rule: f"{rule['alert']} {rule['labels'].get('window', '')}")
def test_alert_says_how_bad_it_is_and_what_to_do(rule: Rule) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning")
    summary, description = rule["annotations"]["summary"], rule["annotations"]["description"]
    assert summary.endswith(".") and "$value" in description
    document, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert document == "docs/monitoring.md"
    assert anchor == rule["alert"].lower()
    assert f"\n### {rule['alert']}\n" in DOCUMENT


def test_document_describes_every_alert_and_no_other() -> None:
    described = re.findall(r"^### (ImageClassifier\w+)$", DOCUMENT, re.MULTILINE)
    assert sorted(described) == sorted({rule["alert"] for rule in all_rules("alert")})


def test_both_deployments_scrape_under_the_job_of_the_rules() -> None:
    assert set(re.findall(r'job="([^"]+)"', EXPRESSIONS)) == {JOB}
    compose = yaml.safe_load((ROOT / "deploy/compose/monitoring/prometheus.yml").read_text(encoding="utf-8"))
    assert JOB in [scrape["job_name"] for scrape in compose["scrape_configs"]]
    documents = (ROOT / "deploy/kubernetes/components/monitoring/monitor.yaml").read_text(encoding="utf-8")
    (monitor,) = [one for one in yaml.safe_load_all(documents) if one["kind"] == "ServiceMonitor"]
    assert monitor["metadata"]["labels"][monitor["spec"]["jobLabel"]] == JOB
