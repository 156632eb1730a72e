"""Metrics are written directly into the file of their process, also after a fork and when the file grows."""

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from prometheus_client import Counter, Gauge, Histogram, multiprocess, values

from serving.bento.metric_values import write_directly


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of metrics, whose values are written directly."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    in_files: Any = values.MultiProcessValue()  # type: ignore[no-untyped-call]
    monkeypatch.setattr(values, "ValueClass", in_files)
    write_directly()
    yield tmp_path
    in_files.close_all_files()


def scraped(folder: Path) -> dict[str, float]:
    """All samples in the files of a folder, summed over the processes, as ``/metrics`` has them."""
    collector: Any = multiprocess.MultiProcessCollector
    return {
        sample.name + "".join(sorted(sample.labels.values())): sample.value
        for family in collector(None, str(folder)).collect()
        for sample in family.samples
    }


def test_values_are_in_the_file_at_once(folder: Path) -> None:
    images = Counter("images", "Images.", ["model"], registry=None)
    depth = Gauge("depth", "Depth.", multiprocess_mode="livesum", registry=None)
    seconds = Histogram("seconds", "Seconds.", buckets=(1.0,), registry=None)
    images.labels("digits").inc()
    images.labels("digits").inc(2)
    depth.set(7)
    depth.dec()
    seconds.observe(0.5)
    found = scraped(folder)
    assert found["images_totaldigits"] == 3
    assert found["depth"] == 6
    assert (found["seconds_count"], found["seconds_sum"], found["seconds_bucket1.0"]) == (1, 0.5, 1)


def test_the_last_value_set_counts(folder: Path) -> None:
    share = Gauge("share", "Share.", multiprocess_mode="livemostrecent", registry=None)
    share.set(0.25)
    share.set(0.5)
    assert scraped(folder) == {"share": 0.5}


def test_a_file_that_grows_keeps_its_values(folder: Path) -> None:
    many = Counter("many", "Many.", ["label"], registry=None)
    first = many.labels("0" * 100)
    first.inc()
    for number in range(1, 1000):
        many.labels(f"{number:0100}").inc(number)
    assert (folder / f"counter_{os.getpid()}.db").stat().st_size > 1 << 16
    first.inc()
    found = scraped(folder)
    assert found["many_total" + "0" * 100] == 2
    assert found[f"many_total{999:0100}"] == 999


def test_nothing_is_lost_between_threads(folder: Path) -> None:
    images = Counter("images", "Images.", registry=None)

    def count() -> None:
        for _ in range(5000):
            images.inc()

    threads = [Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert scraped(folder)["images_total"] == 20_000


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # other tests have left threads behind
def test_a_forked_process_writes_a_file_of_its_own(folder: Path) -> None:
    images = Counter("images", "Images.", registry=None)
    images.inc(2)
    child = os.fork()
    if child == 0:
        images.inc(3)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    images.inc()
    assert sorted(path.name for path in folder.iterdir()) == sorted((f"counter_{os.getpid()}.db", f"counter_{child}.db"))
    assert scraped(folder)["images_total"] == 6
