"""Reports of pip-audit runs: packages that were not looked up are reported as not audited."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping

from deploy.audit import MAX_LISTED, report
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


def report_of(*packages: Mapping[str, object]) -> tuple[list[str], bool]:
    return report(["a.txt", "b.txt"], json.dumps({"dependencies": packages, "fixes": []}), "")


def test_vulnerabilities_are_listed() -> None:
    lines, vulnerable = report_of(FINE, BAD)
    assert vulnerable
    assert lines == [
        "bad 2: PYSEC-1, CVE-1; fixed in 3, 2.1",
        "bad 2: PYSEC-2; not fixed yet",
        "a.txt and b.txt: 2 packages audited, 2 vulnerabilities known.",
    ]


def test_packages_unknown_to_the_index_are_not_audited() -> None:
    lines, vulnerable = report_of(FINE, UNKNOWN)
    assert not vulnerable
    assert lines[0] == "a.txt and b.txt: 1 packages audited, 0 vulnerabilities known."
    assert lines[1].startswith("a.txt and b.txt: 1 packages NOT audited")
    assert lines[1].endswith("unknown")
    lines, vulnerable = report_of(*[UNKNOWN] * (MAX_LISTED + 1))
    assert len(lines) == 1
    assert "NOT audited" in lines[0]
    assert lines[0].endswith("unknown, ...")


def test_without_network_all_files_are_reported_as_not_audited() -> None:
    no_network = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}
    environment = {**os.environ, **no_network, "https_proxy": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "deploy.audit"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["dev.txt and gpu.txt", "train.txt"]
    assert all("NOT audited: the vulnerability index cannot be reached" in line for line in lines)
