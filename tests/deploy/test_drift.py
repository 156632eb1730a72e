"""``python -m deploy.drift`` on saved metrics, on files of results, and on a Prometheus server."""

import csv
import json
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image

from deploy.drift.__main__ import main
from deploy.drift.renewal import whole_counts
from models.card import CARD_FILE, read_card, write_card
from models.reference import QUANTITIES, Reference
from models.store import CATALOGUE
from tests.support.references import N, reference

Counts = dict[str, list[int]]
USUAL: Counts = {quantity: reference().counts(quantity) for quantity in QUANTITIES}
ONE_LABEL: Counts = USUAL | {"label": [0] * 7 + [N] + [0] * 3}


def exposition(counts: Counts, expected: Reference | None = None, model: str = "digits") -> str:
    """The text of /metrics after so many answers; bins of an earlier version are among them."""
    expected = expected or reference()
    lines = [f'image_classifier_reference_images{{model="{model}"}} {expected.n}']
    lines += [f'image_classifier_reference_share{{bin="old",model="{model}",quantity="label"}} 0.0']
    lines += [f'image_classifier_observed_images_total{{bin="old",model="{model}",quantity="label"}} 12345.0']
    for quantity in QUANTITIES:
        bins = zip(expected.bins(quantity), expected.shares(quantity), counts[quantity], strict=True)
        for name, share, count in bins:
            labels = f'{{bin="{name}",model="{model}",quantity="{quantity}"}}'
            lines += [f"image_classifier_reference_share{labels} {share!r}"]
            lines += [f"image_classifier_observed_images_total{labels} {count}"]
    return "\n".join(lines) + "\n"


def plus(before: Counts, more: Counts) -> Counts:
    return {name: [a + b for a, b in zip(before[name], more[name], strict=True)] for name in QUANTITIES}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    (tmp_path / "before").write_text(exposition(USUAL), encoding="utf-8")
    (tmp_path / "usual").write_text(exposition(plus(USUAL, USUAL)), encoding="utf-8")
    (tmp_path / "one label").write_text(exposition(plus(USUAL, ONE_LABEL)), encoding="utf-8")
    (tmp_path / "restarted").write_text(exposition(ONE_LABEL), encoding="utf-8")
    return tmp_path


def metrics(folder: Path, before: str, after: str, *more: str) -> int:
    return main(["metrics", str(folder / before), str(folder / after), *more])


@pytest.mark.parametrize(("after", "status"), [("usual", 0), ("one label", 1), ("restarted", 1)])
def test_what_was_answered_between_two_texts_of_metrics_is_compared(
    saved: Path, capsys: pytest.CaptureFixture[str], after: str, status: int
) -> None:
    assert metrics(saved, "before", after) == status
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "digits: 1,000 images observed, 1,000 in the reference"
    verdicts = {line.split()[0]: line.split()[3] for line in lines[2:]}
    assert verdicts == dict.fromkeys(QUANTITIES, "stable") | ({"label": "DRIFT"} if status else {})
    if status:
        assert "7: 10.0% -> 100.0%" in lines[2]


def test_plot_shows_every_quantity(saved: Path) -> None:
    assert metrics(saved, "before", "one label", "--plot", str(saved / "plot.png")) == 1
    with Image.open(saved / "plot.png") as image:
        colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 20) or ()}
        assert image.width > 1500
    assert {(0xC2, 0x33, 0x1F), (0x1B, 0x69, 0xB0)} <= colours  # one quantity has drifted, others have not


def test_too_few_images_cannot_be_compared(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert metrics(saved, "before", "before") == 2
    captured = capsys.readouterr()
    assert "too few" in captured.out and "at least 100 are needed" in captured.err


@pytest.mark.parametrize("text", ["", "not { metrics", "# HELP other\nother 1\n"])
def test_files_that_are_not_metrics_are_reported(saved: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (saved / "other").write_text(text, encoding="utf-8")
    assert metrics(saved, "other", "usual") == 2
    assert "/metrics" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["service", "http://127.0.0.1:9", "--seconds", "0"], ["prometheus", "http://127.0.0.1:9"]]
)
def test_unreachable_address_is_reported(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main(arguments) == 2
    assert "Is it running?" in capsys.readouterr().err


def results(path: Path, labels: Sequence[str], *, ink: bool = True) -> Path:
    """A file of results as ``deploy.bulk`` writes it, or wrote it without ink: one answer for each label, and one bad file."""
    rows = [
        {
            "path": f"{index}.png",
            "label": label,
            "confidence": index / N,
            "rejected": str(index % 50 == 0).lower(),
            "problem": "",
            "ink": index / N,
        }
        for index, label in enumerate(labels)
    ]
    rows.append({"path": "bad.png", "label": "", "confidence": "", "rejected": "", "problem": "undecodable", "ink": ""})
    if not ink:
        for row in rows:
            del row["ink"]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0]])
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def card(tmp_path: Path) -> Path:
    found = read_card(CATALOGUE / "digits" / CARD_FILE)
    write_card(found.model_copy(update={"reference": reference()}), tmp_path / CARD_FILE)
    return tmp_path / CARD_FILE


@pytest.mark.parametrize(
    ("labels", "status"), [([str(index % 10) for index in range(N)], 0), (["7"] * N, 1), (["seven"] * N, 1)]
)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("ink", [True, False])
def test_a_file_of_results_is_compared_with_a_card(
    tmp_path: Path, card: Path, capsys: pytest.CaptureFixture[str], labels: list[str], status: int, suffix: str, ink: bool
) -> None:
    file = results(tmp_path / "results.csv", labels, ink=ink)
    if suffix == "parquet":
        pyarrow_csv, parquet = pytest.importorskip("pyarrow.csv"), pytest.importorskip("pyarrow.parquet")
        options = pyarrow_csv.ConvertOptions(column_types={"label": "string"}, strings_can_be_null=True)
        parquet.write_table(pyarrow_csv.read_csv(file, convert_options=options), tmp_path / "results.parquet")
        file = tmp_path / "results.parquet"
    assert main(["results", str(file), "--card", str(card)]) == status
    out = capsys.readouterr().out
    assert f"digits: {N:,} images observed" in out
    assert [line.split()[0] for line in out.splitlines()[2:]] == ["label", "confidence", "rejected"] + ["ink"] * ink


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("label,confidence\n7,1\n", "has no column rejected, problem"),
        ("label,confidence,rejected,problem\n7,high,false,\n", "no valid confidence"),
        ("label,confidence,rejected,problem\n7,1,maybe,\n", "no valid confidence"),
        ("label,confidence,rejected,problem,ink\n7,1,false,,much\n", "no valid confidence, rejected or ink"),
    ],
)
def test_files_that_are_not_results_are_reported(
    tmp_path: Path, card: Path, capsys: pytest.CaptureFixture[str], content: str, error: str
) -> None:
    (tmp_path / "file.csv").write_text(content, encoding="utf-8")
    assert main(["results", str(tmp_path / "file.csv"), "--card", str(card)]) == 2
    assert error in capsys.readouterr().err


def test_results_need_a_card_with_a_reference(tmp_path: Path, card: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = results(tmp_path / "results.csv", ["7"] * N)
    assert main(["results", str(file)]) == 2
    assert "--model NAME or --card FILE" in capsys.readouterr().err
    write_card(read_card(card).model_copy(update={"reference": None}), card)
    assert main(["results", str(file), "--card", str(card)]) == 2
    assert "has no reference" in capsys.readouterr().err


def test_what_was_observed_becomes_the_reference(saved: Path, card: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert metrics(saved, "before", "one label", "--renew", str(card)) == 0
    assert f"is the reference of {read_card(card).tag} now" in capsys.readouterr().out
    renewed = read_card(card).reference
    assert renewed is not None and renewed.n == N
    assert renewed.label["7"] == N and renewed.counts("ink") == reference().counts("ink")
    letters = read_card(CATALOGUE / "letters" / CARD_FILE)
    write_card(letters, card)
    assert metrics(saved, "before", "one label", "--renew", str(card)) == 2
    assert "not the card of the model that was observed" in capsys.readouterr().err


@pytest.mark.parametrize(("counts", "n"), [([1.4, 2.4, 3.2], 7), ([10.0, 20.0, 30.0], 7), ([0.0, 0.0, 1e-3], 3)])
def test_whole_counts_add_up(counts: list[float], n: int) -> None:
    whole = whole_counts(np.array(counts), n)
    assert sum(whole) == n
    assert np.abs(np.array(whole) - np.array(counts) * n / sum(counts)).max() < 1


@pytest.fixture
def prometheus() -> Iterator[tuple[str, list[str]]]:
    """A server that answers as Prometheus does for a service that saw only one label, and the queries it received."""
    queries: list[str] = []
    expected = reference()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)["query"][0]
            queries.append(query)
            result = []
            if "reference_images" in query:
                result = [{"metric": {"model": "digits"}, "value": [0, "1000"]}]
            else:
                for quantity in QUANTITIES:
                    values = expected.shares(quantity) if "reference_share" in query else ONE_LABEL[quantity]
                    for name, value in zip(expected.bins(quantity), values, strict=True):
                        labels = {"model": "digits", "quantity": quantity, "bin": name}
                        result.append({"metric": labels, "value": [0, str(value)]})
            body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", queries
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_window_of_prometheus_is_compared(prometheus: tuple[str, list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    address, queries = prometheus
    assert main(["prometheus", address, "--window", "6h", "--selector", 'job="api"']) == 1
    assert "digits: 1,000 images observed, 1,000 in the reference" in capsys.readouterr().out
    assert queries[0].endswith('(increase(image_classifier_observed_images_total{job="api"}[6h]))')
