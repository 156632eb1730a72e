"""The command line of the page, and the names of its modules."""

import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import httpx
import pytest

import ui
from tests.support.processes import free_port, running
from ui.__main__ import parse_arguments


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_ADDRESS", "UI_PORT", "HOST", "UI_HOSTS"):
        monkeypatch.delenv(name, raising=False)
    arguments = parse_arguments([])
    assert (arguments.api_address, arguments.host, arguments.port) == ("http://127.0.0.1:3000", "127.0.0.1", 8501)
    assert arguments.hosts == []


def test_command_line_overrides_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_ADDRESS", "http://api:3000")
    monkeypatch.setenv("UI_PORT", "9000")
    monkeypatch.setenv("UI_HOSTS", "draw.example.org, box")
    assert parse_arguments([]).hosts == ["draw.example.org", "box"]
    assert parse_arguments(["--hosts", "other"]).hosts == ["other"]
    assert (parse_arguments([]).api_address, parse_arguments([]).port) == ("http://api:3000", 9000)
    arguments = parse_arguments(["--api_address", "https://other", "--port", "9001"])
    assert (arguments.api_address, arguments.port) == ("https://other", 9001)


@pytest.mark.parametrize(
    "wrong", [["--port", "http"], ["--api_address", "127.0.0.1:3000"], ["--hosts", "*.org"], ["--hosts", "a:80"]]
)
def test_invalid_argument_stops_the_start(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(wrong)
    assert wrong[0] in capsys.readouterr().err


def test_no_module_shadows_another_package() -> None:
    # Streamlit puts the folder of app.py first on sys.path: a module html.py there would shadow the standard library's.
    names = {path.stem for path in Path(ui.__path__[0]).iterdir()} - {"__init__", "__main__"}
    assert not names & set(sys.stdlib_module_names)
    assert not names & set(packages_distributions())


def test_the_page_starts(tmp_path: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "ui", "--api_address", "http://127.0.0.1:1", "--host", "127.0.0.1", "--port", str(port)]
    with running(command, f"{address}/_stcore/health", tmp_path / "page.log", {}):
        answer = httpx.get(address)
        assert answer.status_code == 200
        assert "text/html" in answer.headers["Content-Type"]
    log = (tmp_path / "page.log").read_text()
    assert address in log
    assert "usage statistics" not in log
