"""``python -m serving``: runs the API and the UI together, until one exits or Ctrl-C ends both."""

import os
import signal
import subprocess
import sys
import time
from types import FrameType
from typing import Final

import httpx

from serving.startup import load_settings

READY_SECONDS: Final = 120.0
STOP_SECONDS: Final = 35.0
POLL_SECONDS: Final = 0.1


class Ended(Exception):
    """SIGTERM, or a child that exited by itself."""


def main() -> int:
    """Start both, print both addresses once they answer, and wait."""
    settings = load_settings()
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    api = f"http://{host}:{settings.port}"
    page = f"http://{host}:{os.environ.get('UI_PORT', '8501')}"
    signal.signal(signal.SIGTERM, _end)
    children: dict[str, subprocess.Popen[bytes]] = {}
    try:
        children["API"] = subprocess.Popen([sys.executable, "-m", "bentoml", "serve", "service:ImageClassifier"])
        _wait_ready("API", children, f"{api}/readyz")
        children["page"] = subprocess.Popen([sys.executable, "-m", "ui", "--api_address", api])
        _wait_ready("page", children, f"{page}/_stcore/health")
        sys.stdout.write(f"\n  Draw here:  {page}\n  API:        {api}\n  Ctrl-C ends both.\n\n")
        sys.stdout.flush()
        while True:
            _check_alive(children)
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        return 0
    except Ended as reason:
        sys.stderr.write(f"{reason}\n")
        return 0 if str(reason) == "terminated" else 1
    finally:
        _stop(children)


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise Ended("terminated")


def _check_alive(children: "dict[str, subprocess.Popen[bytes]]") -> None:
    for name, child in children.items():
        if child.poll() is not None:
            raise Ended(f"The {name} exited with status {child.returncode}; see its output above.")


def _wait_ready(name: str, children: "dict[str, subprocess.Popen[bytes]]", address: str) -> None:
    limit = time.monotonic() + READY_SECONDS
    while time.monotonic() < limit:
        _check_alive(children)
        try:
            if httpx.get(address, timeout=2).status_code == 200:
                _check_alive(children)
                return
        except httpx.TransportError:
            pass
        time.sleep(POLL_SECONDS)
    raise Ended(f"The {name} did not answer at {address} within {READY_SECONDS:g} s.")


def _stop(children: "dict[str, subprocess.Popen[bytes]]") -> None:
    for child in children.values():
        child.terminate()
    for child in children.values():
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


if __name__ == "__main__":
    sys.exit(main())
