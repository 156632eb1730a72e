"""deploy.bulk on a Ray of its own: killed and continued, it answers once for each picture, as the service does."""

import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pyarrow.parquet as pq
import pytest
from PIL import Image

from loadtests.samples import samples
from tests.support.pictures import WHITE, digit, encoded
from tests.support.processes import ROOT
from tests.support.waiting import until

pytestmark = [pytest.mark.served, pytest.mark.slow]

NEEDS_RAY = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is missing; `make setup-bulk` installs it")
COPIES = 40  # a second of work or more after the first rows, in which a run or a worker is killed
SECONDS = 120.0


def broken_pictures() -> dict[str, bytes]:
    """Files that are no picture that can be classified, by the code of their problem."""
    good = encoded(digit("7", paper=WHITE), "PNG")
    huge = io.BytesIO()
    Image.new("1", (6000, 6000)).save(huge, "PNG")
    return {
        "unsupported_media": b"no picture",
        "undecodable": good[: len(good) // 2],
        "no_ink": encoded(Image.new("L", (64, 64), 255), "PNG"),
        "too_large": huge.getvalue(),
    }


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with each sample image many times under different names, broken pictures between them, and an empty file."""
    folder = tmp_path_factory.mktemp("pictures")
    contents = {sample.name: sample.data for sample in samples()}
    contents |= {f"broken-{code}": data for code, data in broken_pictures().items()}
    first = folder / "000"
    first.mkdir()
    for name, data in contents.items():
        (first / name).write_bytes(data)
    (first / "empty.png").touch()
    for number in range(1, COPIES):
        (folder / f"{number:03}").mkdir()
        for file in first.iterdir():
            os.link(file, folder / f"{number:03}" / file.name)
    return folder


@contextmanager
def run_of(pictures: Path, output: Path, home: Path) -> Iterator["subprocess.Popen[str]"]:
    """The command, while the block runs; in small batches, so that the first results are there early."""
    options = ["--model", "characters", "--batch-size", "50", "--workers", "2"]
    command = [sys.executable, "-m", "deploy.bulk", str(pictures), str(output), *options]
    environment = {**os.environ, "BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True", "RAY_worker_niceness": "0"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def parts(output: Path) -> int:
    """How many parts with results there are."""
    return len(list((output / "parts").glob("*.parquet")))


def descendants(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def kill(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    """Kill the command, in the middle; gives the processes that it started."""
    children = descendants(process)
    process.kill()
    assert process.wait(SECONDS) == -signal.SIGKILL
    return children


def is_alive(process: psutil.Process) -> bool:
    """Whether a process runs; one that ended is a zombie where nothing collects the children of a killed process."""
    with suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def service_label(address: str, file: Path) -> tuple[str | None, float | None, bool | None, str | None]:
    """Label, confidence, whether it is rejected, and the problem, as the service answers."""
    answer = httpx.post(f"{address}/classify?model=characters", content=file.read_bytes(), timeout=30).json()
    return answer.get("label"), answer.get("confidence"), answer.get("rejected"), answer.get("code")


@NEEDS_RAY
def test_killed_and_continued_run_answers_once_for_each_picture_as_the_service(
    pictures: Path, model_store: Path, service_address: str, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    with run_of(pictures, output, model_store) as run:
        until(lambda: parts(output) > 0 or run.poll() is not None, SECONDS)
        started = kill(run)
    before = parts(output)
    assert not json.loads((output / "run.json").read_text()).get("finished")
    with run_of(pictures, output, model_store) as run:
        until(lambda: parts(output) > before or run.poll() is not None, SECONDS)
        kill_a_worker(run)
        _, printed = run.communicate(timeout=SECONDS)
        assert run.returncode == 0, printed
        assert "pictures are done already" in printed

    rows = pq.read_table(output / "predictions.parquet").to_pylist()
    names = sorted(file.relative_to(pictures).as_posix() for file in pictures.rglob("*") if file.is_file())
    assert [row["name"] for row in rows] == names
    # The API refuses an empty body before it looks for a picture in it.
    expected = {file.name: service_label(service_address, file) for file in (pictures / "000").iterdir() if file.stat().st_size}
    expected["empty.png"] = None, None, None, "unsupported_media"
    for row in rows:
        label, confidence, rejected, problem = expected[Path(row["name"]).name]
        assert (row["label"], row["rejected"], row["problem"]) == (label, rejected, problem)
        assert row["confidence"] == pytest.approx(confidence, abs=2e-6)
    assert {row["problem"] for row in rows} == {None, *broken_pictures()}
    until(lambda: not any(map(is_alive, started)), SECONDS)  # two agents of Ray wait a minute for a Ray that may return


def kill_a_worker(run: "subprocess.Popen[str]") -> None:
    """Kill one of the processes that classify."""
    for process in descendants(run):
        with suppress(psutil.NoSuchProcess):
            if "BatchClassifier" in " ".join(process.cmdline()):
                process.kill()
                return
    raise AssertionError("no worker was found")


def test_without_ray_the_command_says_what_to_install(tmp_path: Path) -> None:
    # The empty module hides Ray where it is installed: find_spec finds no specification of it.
    script = "import sys; sys.modules['ray'] = None; from deploy.bulk.__main__ import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", script, str(tmp_path), str(tmp_path / "out"), "--model", "digits"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert "make setup-bulk" in ended.stderr
