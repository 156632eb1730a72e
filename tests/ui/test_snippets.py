"""The code on the page: it runs as it stands, whatever the file is called, and answers as the page did."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.browser.processes import stand_in
from tests.support.pictures import WHITE, digit, encoded
from tests.ui.service import PNG, Service
from ui import snippets
from ui.client import Client
from ui.snippets import Call

RUNNERS: dict[str, tuple[Callable[[Call], str], list[str]]] = {
    "curl": (snippets.curl, ["bash", "-c"]),
    "bentoml": (snippets.bentoml, [sys.executable, "-c"]),
    "httpx": (snippets.httpx, [sys.executable, "-c"]),
}
if node := shutil.which("node"):  # without it, tests/browser/test_snippets.py runs the JavaScript all the same
    RUNNERS["javascript"] = (snippets.javascript, [node, "--input-type=module", "--eval"])


WRITERS = (snippets.curl, snippets.bentoml, snippets.httpx, snippets.javascript, snippets.canvas)


def call(address: str = "http://127.0.0.1:3000", **changes: object) -> Call:
    known: dict[str, object] = {"model": "digits", "device": "auto", "file": "drawing.png", "kind": "image/png"}
    return Call(address, **known | changes)  # type: ignore[arg-type]


def run(language: str, asked: Call, folder: Path, **environment: str) -> str:
    """What the snippet prints, run where its file lies."""
    write, command = RUNNERS[language]
    environment = {**os.environ, **environment}
    code = write(asked)
    ran = subprocess.run([*command, code], cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return ran.stdout


@pytest.mark.served
@pytest.mark.parametrize("language", RUNNERS)
@pytest.mark.parametrize(
    ("file", "format", "kind", "with_key"),
    [("drawing.png", "PNG", "image/png", False), ('it\'s a "7" & 칠 $(x).jpg', "JPEG", "image/jpeg", True)],
)
def test_a_snippet_asks_the_service(
    language: str, file: str, format: str, kind: str, with_key: bool, service_address: str, tmp_path: Path
) -> None:
    (tmp_path / file).write_bytes(encoded(digit("7", paper=WHITE).convert("RGB"), format))
    printed = run(language, call(service_address, file=file, kind=kind, with_key=with_key), tmp_path, API_KEY="any")
    if language == "curl":
        answer = json.loads(printed)
        assert (answer["label"], answer["model"], len(answer["top"])) == ("7", "digits", 3)
    else:
        label, confidence = printed.split()
        assert label == "7"
        assert 0.5 < float(confidence) <= 1


@pytest.mark.parametrize("language", [name for name in RUNNERS if name != "bentoml"])
def test_a_snippet_sends_what_the_page_sent(language: str, tmp_path: Path) -> None:
    (tmp_path / "drawing.png").write_bytes(PNG)
    service = Service()
    with stand_in(service) as address, closing(Client(address, api_key="secret")) as client:
        client.classify(PNG, model="my model", device="cpu")
        asked = call(address, model="my model", device="cpu", with_key=client.with_key)
        run(language, asked, tmp_path, API_KEY="secret", NO_PROXY="127.0.0.1")
    by_page, by_code = service.asked
    assert by_code.url == by_page.url
    assert by_code.content == by_page.content
    for header in ("Content-Type", "Authorization"):
        assert by_code.headers[header] == by_page.headers[header]


def test_the_key_itself_is_nowhere_on_the_page() -> None:
    texts = [write(call(with_key=True)) for write in WRITERS]
    assert all("API_KEY" in text or "apiKey" in text for text in texts)
    assert not any("API_KEY" in write(call()) for write, _ in RUNNERS.values())


def page() -> None:
    """The part by itself, as a script."""
    from tests.ui.service import PNG
    from ui import snippets
    from ui.snippets import Call

    snippets.show(Call("http://127.0.0.1:3999", "letters", "cpu", "drawing.png", "image/png"), PNG)


def test_the_part_of_the_page() -> None:
    shown = AppTest.from_function(page).run()
    assert [part.label for part in shown.expander] == ["Use it from code"]
    assert not shown.code  # until someone looks
    shown.session_state["code"] = True
    shown.run()
    assert not shown.exception
    assert [tab.label for tab in shown.tabs] == list(snippets.TABS)
    assert [code.language for code in shown.code] == ["bash", "python", "python", "javascript", "javascript"]
    assert all("127.0.0.1:3999" in code.value and "letters" in code.value for code in shown.code)
    assert shown.get("download_button")[0].proto.label == "Save the picture"
    assert shown.get("link_button")[0].proto.url == "http://127.0.0.1:3999/"
