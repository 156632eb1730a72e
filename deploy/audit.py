"""``python -m deploy.audit``: are vulnerabilities known of what the lock files name? pip-audit asks the package index.

pip-audit says "no known vulnerabilities" also of packages the index told it nothing about, and breaks off with a trace where
there is no network. Here nothing is called fine that was not looked up.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, Final

from deploy.requirements import FOLDER

# By whether they have hashes, which pip-audit wants of all files of a run or of none; dev.txt holds base.txt and bento.txt.
RUNS: Final = (("dev.txt", "gpu.txt"), ("train.txt",))
# What is locked is installed as it is, so that there is nothing to resolve, and no reason to run pip.
COMMAND: Final = (sys.executable, "-m", "pip_audit", "--disable-pip", "--no-deps", "--progress-spinner=off", "--format=json")
SHOWN: Final = 10


def report(names: Sequence[str], output: str, errors: str) -> tuple[list[str], bool]:
    """Lines for people about a run of pip-audit over these lock files, and whether it found a vulnerability."""
    files = " and ".join(names)
    try:
        packages: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except ValueError:
        reason = (errors.strip().splitlines() or ["pip-audit said nothing"])[-1].partition(" (Caused by")[0]
        return [f"{files}: NOT audited, since the index of vulnerabilities cannot be asked. {reason}"], False
    lines = []
    for each in packages:
        for found in each.get("vulns", ()):
            cure = f"fixed in {', '.join(found['fix_versions'])}" if found["fix_versions"] else "not fixed yet"
            lines.append(f"{each['name']} {each['version']}: {', '.join([found['id'], *found['aliases']])}; {cure}")
    vulnerable = bool(lines)
    skipped = sorted(each["name"] for each in packages if "skip_reason" in each)
    if len(skipped) < len(packages):
        lines.append(f"{files}: {len(packages) - len(skipped)} packages audited, {len(lines)} vulnerabilities known.")
    if skipped:
        shown = ", ".join([*skipped[:SHOWN], *(["..."] if len(skipped) > SHOWN else [])])
        lines.append(f"{files}: {len(skipped)} packages NOT audited, since the index has nothing about them: {shown}")
    return lines, vulnerable


def main() -> int:
    """Audit what every lock file names; 1 if a vulnerability is known of it."""
    status = 0
    for names in RUNS:
        command = [*COMMAND, *(f"--requirement={FOLDER / name}" for name in names)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        lines, vulnerable = report(names, ran.stdout, ran.stderr)
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        status |= vulnerable
    return status


if __name__ == "__main__":
    sys.exit(main())
