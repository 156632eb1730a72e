"""The rules of Prometheus, rules.yaml, and the same as the resource of the Prometheus operator."""

from pathlib import Path
from typing import Final

import yaml

RULES: Final = Path(__file__).with_name("rules.yaml")
HEADER: Final = "# Made from rules.yaml by `python -m deploy.monitoring`.\n"


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def prometheus_rule() -> str:
    """The PrometheusRule, as YAML."""
    labels = {"app.kubernetes.io/name": "image-classifier"}
    resource = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "image-classifier", "labels": labels},
        "spec": yaml.safe_load(RULES.read_text(encoding="utf-8")),
    }
    return HEADER + yaml.dump(resource, Dumper=_Dumper, sort_keys=False, width=128)
