"""A real Prometheus with a real Alertmanager that calls a webhook of the test, on loopback."""

import json
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml

from tests.support.processes import free_port, running

JOB: Final = "image-classifier"
Labels = dict[str, str]
AlertKey = tuple[str, str]  # the name of an alerting rule, and the window of a burn rate or nothing
SCALE: Final = "scale"  # the external label of a Prometheus


@dataclass
class Webhook:
    """What Alertmanager reported: for each alert its states in order, ``firing`` and ``resolved``, and all reports.

    ``scales`` says from which Prometheus an alert counts.
    """

    address: str
    scales: Mapping[AlertKey, str]
    states: dict[AlertKey, list[str]] = field(default_factory=dict)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    log: list[tuple[AlertKey, str]] = field(default_factory=list)

    def receive(self, alerts: list[dict[str, Any]]) -> None:
        """Take the alerts of one notification."""
        for alert in alerts:
            key = alert_key(alert["labels"])
            if alert["labels"][SCALE] != self.scales[key]:
                continue
            self.alerts.append(alert)
            self.log.append((key, alert["status"]))
            states = self.states.setdefault(key, [])
            if states[-1:] != [alert["status"]]:
                states.append(alert["status"])

    def is_in(self, key: AlertKey, state: str) -> bool:
        """Whether the last report of an alert was of a state."""
        return self.states.get(key, [""])[-1] == state

    def of(self, key: AlertKey) -> list[dict[str, Any]]:
        """The reports of an alert."""
        return [alert for alert in self.alerts if alert_key(alert["labels"]) == key]


def alert_key(labels: Labels) -> AlertKey:
    """The alerting rule of an alert with these labels."""
    return labels["alertname"], labels.get("window", "")


@contextmanager
def webhook(scales: Mapping[AlertKey, str]) -> Iterator[Webhook]:
    """A receiver of Alertmanager's notifications until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name that http.server calls
            found.receive(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Webhook(f"http://127.0.0.1:{server.server_port}/", scales)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def program(name: str) -> str:
    """The path of a program of Prometheus; without it the test is skipped."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is missing; `apt-get install prometheus prometheus-alertmanager` installs it")
    return path


@contextmanager
def running_alertmanager(folder: Path, receiver: str) -> Iterator[str]:
    """An Alertmanager that reports every change to the webhook at once; gives its address, such as ``127.0.0.1:9093``."""
    route = {"receiver": "test", "group_by": ["..."], "group_wait": "1ms", "group_interval": "100ms", "repeat_interval": "1h"}
    config = {"route": route, "receivers": [{"name": "test", "webhook_configs": [{"url": receiver, "send_resolved": True}]}]}
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    command = [program("prometheus-alertmanager"), f"--config.file={folder / 'alertmanager.yml'}"]
    command += [f"--storage.path={folder / 'alerts'}", f"--web.listen-address={address}", "--cluster.listen-address="]
    with running(command, f"http://{address}/-/ready", folder / "alertmanager.log", {}):
        yield address


class Prometheus:
    """A running Prometheus, asked over HTTP."""

    def __init__(self, address: str) -> None:
        self.address = address

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an instant query answers, with their labels and value; an error fails the test."""
        answer = httpx.get(f"{self.address}/api/v1/query", params={"query": expression}, timeout=30).json()
        assert answer["status"] == "success", (expression, answer)
        data = answer["data"]
        if data["resultType"] == "scalar":
            return [{"metric": {}, "value": data["result"]}]
        found: list[dict[str, Any]] = data["result"]
        return found

    def value(self, expression: str) -> float:
        """The value of a query that answers one series."""
        (value,) = values_of(self.query(expression))
        return value


def values_of(series: Iterable[dict[str, Any]]) -> list[float]:
    """The values of the series that a query answered."""
    return [float(one["value"][1]) for one in series]


@contextmanager
def running_prometheus(
    folder: Path,
    rules: Path,
    scrape: dict[str, Any],
    alertmanager: str | None = None,
    interval: str = "15s",
    **external_labels: str,
) -> Iterator[Prometheus]:
    """A Prometheus with one scrape configuration and these rules, both at ``interval``."""
    config = {
        "global": {
            "scrape_interval": interval,
            "scrape_timeout": interval,
            "evaluation_interval": interval,
            "external_labels": external_labels,
        },
        "rule_files": [str(rules)],
        "scrape_configs": [scrape],
    }
    if alertmanager:
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]}
    folder.mkdir()
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    address = f"http://127.0.0.1:{free_port()}"
    command = [program("prometheus"), f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    command += [f"--web.listen-address={address.removeprefix('http://')}", "--rules.alert.resend-delay=1s"]
    with running(command, f"{address}/-/ready", folder / "log", {}):
        yield Prometheus(address)


def service_job(address: str) -> dict[str, Any]:
    """The scrape configuration for a service, with the job that the rules name."""
    return {"job_name": JOB, "static_configs": [{"targets": [address.removeprefix("http://")]}]}


def federation_job(prometheus: Prometheus) -> dict[str, Any]:
    """The scrape configuration for what another Prometheus scraped of a service."""
    return {
        "job_name": "federation",
        "metrics_path": "/federate",
        "honor_labels": True,
        "params": {"match[]": [f'{{job="{JOB}"}}']},
        "static_configs": [{"targets": [prometheus.address.removeprefix("http://")]}],
    }
