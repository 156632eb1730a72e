"""``python -m deploy.drift`` on the metrics of a real service, before and after pictures of one label."""

from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from deploy.drift.__main__ import main
from loadtests.samples import samples

pytestmark = pytest.mark.served

ANSWERS = 150


def save_metrics(address: str, file: Path) -> str:
    file.write_text(httpx.get(f"{address}/metrics", timeout=30).text, encoding="utf-8")
    return str(file)


def classify(address: str, images: Sequence[bytes]) -> None:
    for start in range(0, len(images), 50):
        files = [("images", ("image.png", data, "image/png")) for data in images[start : start + 50]]
        assert httpx.post(f"{address}/classify/batch", files=files, timeout=60).status_code == 200


def test_pictures_of_one_label_are_noticed_in_the_metrics(
    service_address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = [sample.data for sample in samples() if sample.label == "7"]
    before = save_metrics(service_address, tmp_path / "before")
    classify(service_address, [images[index % len(images)] for index in range(ANSWERS)])
    after = save_metrics(service_address, tmp_path / "after")
    assert main(["metrics", before, after, "--model", "digits"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"digits: {ANSWERS} images observed, 10,000 in the reference"
    label = next(line for line in lines if line.split()[0] == "label")
    assert "DRIFT" in label and "-> 100.0%" in label
    assert main(["metrics", after, after, "--model", "digits"]) == 2
