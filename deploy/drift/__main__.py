"""``python -m deploy.drift``: compares the answers of a service, or a file of results, with the references of its models.

Exit status: 0 where nothing drifted, 1 where something did, 2 where it cannot be compared.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.drift.exposition import DriftError, between, from_prometheus, parse_metrics, watch
from deploy.drift.renewal import renew_reference
from deploy.drift.report import format_table, plot
from deploy.drift.results import from_results
from models.card import CARD_FILE, CardError, read_card
from models.stability import MIN_OBSERVED, Comparison
from models.store import catalogue_folder
from models.terminal import printable


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the comparison, and plot it if asked."""
    options = _parser().parse_args(arguments)
    try:
        comparisons = [one for one in _compare(options) if options.model in (None, one.model)]
        if not comparisons:
            raise DriftError(f"There is no model {options.model or 'with a reference'} there.")
        if options.model is None:  # models that nobody asked are not worth a table
            comparisons = [one for one in comparisons if one.n] or comparisons
        sys.stdout.write("\n".join(map(printable, format_table(comparisons).split("\n"))))
        if options.plot:
            plot(comparisons, options.plot)
        if options.renew:
            tag = renew_reference(options.renew, comparisons).tag
            sys.stdout.write(f"{options.renew}: what was observed is the reference of {tag} now. Import it again.\n")
            return 0
        if all(one.n < MIN_OBSERVED for one in comparisons):
            raise DriftError(f"Too few images to compare: at least {MIN_OBSERVED} are needed.")
    except (DriftError, CardError, OSError) as error:
        sys.stderr.write(f"{printable(str(error))}\n")
        return 2
    return 1 if any(one.drifted for one in comparisons) else 0


def _compare(options: argparse.Namespace) -> list[Comparison]:
    if options.source == "metrics":
        before, after = (parse_metrics(path.read_text(encoding="utf-8")) for path in (options.before, options.after))
        return between(before, after)
    if options.source == "service":
        return between(*watch(options.address, options.seconds))
    if options.source == "prometheus":
        return from_prometheus(options.address, options.window, options.selector)
    if options.card is None and options.model is None:
        raise DriftError("Say which model gave these results, with --model NAME or --card FILE.")
    return from_results(options.file, read_card(options.card or catalogue_folder() / options.model / CARD_FILE))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.drift", description=__doc__)
    every = argparse.ArgumentParser(add_help=False)
    every.add_argument("--model", metavar="NAME", help="only this model; by default all that answered an image")
    every.add_argument("--plot", type=Path, metavar="FILE", help="plot observed and reference shares as PNG, SVG or PDF")
    every.add_argument(
        "--renew", type=Path, metavar="CARD", help="write what was observed into this card, as its new reference"
    )
    sources = parser.add_subparsers(dest="source", required=True)
    metrics = sources.add_parser("metrics", parents=[every], help="two saved texts of /metrics")
    metrics.add_argument("before", type=Path)
    metrics.add_argument("after", type=Path)
    service = sources.add_parser("service", parents=[every], help="a running service, from now on for some time")
    service.add_argument("address", metavar="URL")
    service.add_argument("--seconds", type=float, default=3600.0, help="default: %(default)g")
    prometheus = sources.add_parser("prometheus", parents=[every], help="the last hours of a Prometheus server")
    prometheus.add_argument("address", metavar="URL")
    prometheus.add_argument("--window", default="1h", help="as in PromQL; default: %(default)s")
    prometheus.add_argument("--selector", default="", metavar="MATCHERS", help="label matchers, such as 'job=\"api\"'")
    results = sources.add_parser("results", parents=[every], help="a file of results, CSV or Parquet")
    results.add_argument("file", type=Path)
    results.add_argument(
        "--card", type=Path, metavar="FILE", help="the model's card; by default that of --model in the catalogue"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
