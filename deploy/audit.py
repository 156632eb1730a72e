"""``python -m deploy.audit``: look up known vulnerabilities of the locked packages with pip-audit.

pip-audit reports "no known vulnerabilities" even for packages the index has no data about, and ends with a traceback without a
network. This command reports packages that could not be looked up as not audited.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, Final

from deploy.requirements import FOLDER

# Grouped by whether they have hashes: pip-audit needs them in all files of a run or in none. dev.txt includes the other groups.
RUNS: Final = (("dev.txt", "gpu.txt"), ("train.txt",))
# All packages are locked, so that there is nothing to resolve and pip need not run.
COMMAND: Final = (sys.executable, "-m", "pip_audit", "--disable-pip", "--no-deps", "--progress-spinner=off", "--format=json")
MAX_LISTED: Final = 10


def report(names: Sequence[str], output: str, errors: str) -> tuple[list[str], bool]:
    """Format the result of a pip-audit run over lock files, and tell whether it found a vulnerability."""
    files = " and ".join(names)
    try:
        packages: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except ValueError:
        reason = (errors.strip().splitlines() or ["pip-audit printed nothing"])[-1].partition(" (Caused by")[0]
        return [f"{files}: NOT audited: the vulnerability index cannot be reached. {reason}"], False
    lines = []
    for each in packages:
        for vulnerability in each.get("vulns", ()):
            fix = f"fixed in {', '.join(vulnerability['fix_versions'])}" if vulnerability["fix_versions"] else "not fixed yet"
            lines.append(
                f"{each['name']} {each['version']}: {', '.join([vulnerability['id'], *vulnerability['aliases']])}; {fix}"
            )
    vulnerable = bool(lines)
    skipped = sorted(each["name"] for each in packages if "skip_reason" in each)
    if len(skipped) < len(packages):
        lines.append(f"{files}: {len(packages) - len(skipped)} packages audited, {len(lines)} vulnerabilities known.")
    if skipped:
        listed = ", ".join([*skipped[:MAX_LISTED], *(["..."] if len(skipped) > MAX_LISTED else [])])
        lines.append(f"{files}: {len(skipped)} packages NOT audited: the index has no data about them: {listed}")
    return lines, vulnerable


def main() -> int:
    """Audit every lock file; 1 if a known vulnerability was found."""
    status = 0
    for names in RUNS:
        command = [*COMMAND, *(f"--requirement={FOLDER / name}" for name in names)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        lines, vulnerable = report(names, result.stdout, result.stderr)
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        status |= vulnerable
    return status


if __name__ == "__main__":
    sys.exit(main())
