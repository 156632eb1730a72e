"""The private folder of a service: made by its parent, found by its workers, and not left behind."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

from serving.process.runtime_folder import METRICS, PREFIX, YOUNG_SECONDS, remove_stale
from serving.process.workers import SHARED
from tests.support.processes import ROOT

# A parent that starts a worker and then another in its place, and says which folder each of them has.
PARENT = '''
import subprocess, sys
from serving.process.runtime_folder import open_runtime_folder
from serving.process.workers import shared_folder
worker = """\
from serving.process.runtime_folder import open_runtime_folder
from serving.process.workers import shared_folder
print(open_runtime_folder(), shared_folder())
"""
print(open_runtime_folder(), shared_folder(), flush=True)
for _ in range(2):
    subprocess.run([sys.executable, "-c", worker], check=True)
assert open_runtime_folder() == shared_folder().parent
print("up", flush=True)
sys.stdin.readline()
'''


def start(temporary: Path, **environment: str) -> "subprocess.Popen[str]":
    variables = {**os.environ, "TMPDIR": str(temporary), **environment}
    return subprocess.Popen(
        [sys.executable, "-c", PARENT], cwd=ROOT, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def folders(parent: "subprocess.Popen[str]") -> set[str]:
    """What a parent and its workers say."""
    assert parent.stdout is not None
    return {line.strip() for line in iter(parent.stdout.readline, "up\n")}


def make_old(folder: Path) -> None:
    past = time.time() - 2 * YOUNG_SECONDS
    os.utime(folder, (past, past))


def test_two_services_with_one_home_and_port_share_no_folder(tmp_path: Path) -> None:
    home = {"BENTOML_HOME": str(tmp_path / "home"), "PORT": "3000"}
    services = [start(tmp_path, **home) for _ in range(2)]
    found = [folders(service) for service in services]
    assert [len(one) for one in found] == [1, 1]  # the parent and both workers have the same
    assert not found[0] & found[1]
    for folder in tmp_path.glob(f"{PREFIX}*"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert sorted(path.name for path in folder.iterdir()) == [METRICS, SHARED]
    assert not (tmp_path / "home").exists()
    for service in services:
        service.communicate("end\n", timeout=30)
        assert service.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_next_start_removes_folders_of_killed_services_only(tmp_path: Path) -> None:
    killed, running = start(tmp_path), start(tmp_path)
    folders(killed)
    folders(running)
    killed.kill()
    killed.communicate(timeout=30)
    there = set(tmp_path.iterdir())
    assert len(there) == 2
    remove_stale(tmp_path)
    assert set(tmp_path.iterdir()) == there  # young: it might not be locked yet
    for folder in there:
        make_old(folder)
    remove_stale(tmp_path)
    (left,) = tmp_path.iterdir()
    assert (left / SHARED).is_dir()
    running.communicate("end\n", timeout=30)
    assert list(tmp_path.iterdir()) == []


def test_cleanup_removes_only_folders_and_follows_no_links(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / f"{PREFIX}link").symlink_to(tmp_path / "mine")
    (tmp_path / f"{PREFIX}file").write_text("")
    make_old(tmp_path / "mine")
    before = sorted(tmp_path.iterdir())
    remove_stale(tmp_path)
    assert sorted(tmp_path.iterdir()) == before


def test_folder_that_cannot_be_created_stops_the_start_with_one_line() -> None:
    code = "import tempfile; tempfile.tempdir = '/nowhere'; import serving.process.runtime_folder as r; r.open_runtime_folder()"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "Set TMPDIR" in ended.stderr
