"""What is said about a run of pip-audit: nothing is called fine that was not looked up."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping

from deploy.audit import SHOWN, report
from tests.support.processes import ROOT

FINE = {"name": "fine", "version": "1", "vulns": []}
BAD = {
    "name": "bad",
    "version": "2",
    "vulns": [
        {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["3", "2.1"], "description": "..."},
        {"id": "PYSEC-2", "aliases": [], "fix_versions": [], "description": "..."},
    ],
}
UNKNOWN = {"name": "unknown", "skip_reason": "Dependency not found on PyPI"}


def told(*packages: Mapping[str, object]) -> tuple[list[str], bool]:
    return report(["a.txt", "b.txt"], json.dumps({"dependencies": packages, "fixes": []}), "")


def test_vulnerabilities_are_listed_and_fail() -> None:
    lines, vulnerable = told(FINE, BAD)
    assert vulnerable
    assert lines == [
        "bad 2: PYSEC-1, CVE-1; fixed in 3, 2.1",
        "bad 2: PYSEC-2; not fixed yet",
        "a.txt and b.txt: 2 packages audited, 2 vulnerabilities known.",
    ]


def test_packages_the_index_does_not_know_are_not_fine() -> None:
    lines, vulnerable = told(FINE, UNKNOWN)
    assert not vulnerable
    assert lines[0] == "a.txt and b.txt: 1 packages audited, 0 vulnerabilities known."
    assert lines[1].startswith("a.txt and b.txt: 1 packages NOT audited")
    assert lines[1].endswith("unknown")
    lines, vulnerable = told(*[UNKNOWN] * (SHOWN + 1))
    assert len(lines) == 1
    assert "NOT audited" in lines[0]
    assert lines[0].endswith("unknown, ...")


def test_without_a_network_it_says_so_and_fails_nothing() -> None:
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}
    environment = {**os.environ, **nowhere, "https_proxy": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "deploy.audit"]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["dev.txt and gpu.txt", "train.txt"]
    assert all("NOT audited, since the index of vulnerabilities cannot be asked" in line for line in lines)
