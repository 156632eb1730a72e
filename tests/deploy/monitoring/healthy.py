"""Whether the alerts are silent while all is well: ``python -m tests.deploy.monitoring.healthy --minutes 10`` serves the models
under steady load, watched by a Prometheus with the rules as they are, and ends with 1 if an alert became pending or fired."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from deploy.monitoring.rules import RULES
from loadtests.samples import samples
from tests.deploy.monitoring.catalogue import import_catalogue
from tests.deploy.monitoring.prometheus import running_prometheus, service_job
from tests.deploy.monitoring.traffic import traffic
from tests.support.processes import free_port, prioritise, start_service

FIGURES = {
    "requests": "sum(increase(bentoml_service_request_total{endpoint='/classify'}[1h]))",
    "failed": "image_classifier:failed_requests:ratio_rate1h",
    "late": "image_classifier:late_requests:ratio_rate1h",
    "p99, seconds": "histogram_quantile(0.99, sum by (le) (rate(bentoml_service_request_duration_seconds_bucket"
    "{endpoint='/classify'}[1h])))",
    "largest drift, as a part of its limit": "max(image_classifier:population_stability_index / "
    "image_classifier:population_stability_index_limit)",
}


def main() -> int:
    """Run the command line; gives the exit status."""
    parser = argparse.ArgumentParser(description="Check that no alert fires under healthy load.")
    parser.add_argument("--minutes", type=float, default=10, help="how long the service is watched")
    parser.add_argument("--rate", type=float, default=20, help="requests a second")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        catalogue = import_catalogue(folder)
        with (
            start_service(folder, free_port(), CATALOGUE=str(catalogue), GALLERY="false", DEADLINE_SECONDS="10") as address,
            running_prometheus(folder / "prometheus", RULES, service_job(address)) as prometheus,
            traffic(address, [sample.data for sample in samples()], options.rate) as clients,
        ):
            prioritise(address)
            time.sleep(options.minutes * 60)
            alerts = prometheus.query("count by (alertname, window, alertstate) (count_over_time(ALERTS[1h]))")
            figures = {name: prometheus.query(expression) for name, expression in FIGURES.items()}
            statuses = dict(clients.statuses)
    sys.stdout.write(f"statuses: {statuses}\n")
    for name, series in figures.items():
        sys.stdout.write(f"{name}: {', '.join(one['value'][1] for one in series)}\n")
    for alert in alerts:
        sys.stdout.write(f"alert: {alert['metric']}\n")
    return 1 if alerts else 0


if __name__ == "__main__":
    sys.exit(main())
