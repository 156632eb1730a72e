"""The code examples: they run unchanged with any file name and send the same request as the page."""

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

from tests.browser.processes import serve_fake
from tests.support.pictures import WHITE, digit, encoded
from tests.ui.fake_service import PNG, FakeService
from ui.api.client import Client
from ui.views import snippets
from ui.views.snippets import SnippetRequest

pytestmark = pytest.mark.slow

RUNNERS: dict[str, tuple[Callable[[SnippetRequest], str], list[str]]] = {
    "curl": (snippets.curl, ["bash", "-c"]),
    "bentoml": (snippets.bentoml, [sys.executable, "-c"]),
    "httpx": (snippets.httpx, [sys.executable, "-c"]),
}
if node := shutil.which("node"):  # without it, only tests/browser/test_snippets.py runs the JavaScript
    RUNNERS["javascript"] = (snippets.javascript, [node, "--input-type=module", "--eval"])


GENERATORS = (snippets.curl, snippets.bentoml, snippets.httpx, snippets.javascript, snippets.canvas, snippets.file_input)


def snippet_request(address: str = "http://127.0.0.1:3000", **changes: object) -> SnippetRequest:
    known: dict[str, object] = {"model": "digits", "device": "auto", "file": "drawing.png", "kind": "image/png"}
    return SnippetRequest(address, **known | changes)  # type: ignore[arg-type]


def run(language: str, request: SnippetRequest, folder: Path, **environment: str) -> str:
    """Run a code example in the folder of its file and return what it prints."""
    write, command = RUNNERS[language]
    environment = {**os.environ, **environment}
    code = write(request)
    ran = subprocess.run([*command, code], cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return ran.stdout


@pytest.mark.served
@pytest.mark.parametrize("language", RUNNERS)
@pytest.mark.parametrize(
    ("file", "format", "kind", "with_key"),
    [("drawing.png", "PNG", "image/png", False), ('it\'s a "7" & 칠 $(x).jpg', "JPEG", "image/jpeg", True)],
)
def test_code_example_gets_an_answer(
    language: str, file: str, format: str, kind: str, with_key: bool, service_address: str, tmp_path: Path
) -> None:
    (tmp_path / file).write_bytes(encoded(digit("7", paper=WHITE).convert("RGB"), format))
    printed = run(language, snippet_request(service_address, file=file, kind=kind, with_key=with_key), tmp_path, API_KEY="any")
    if language == "curl":
        answer = json.loads(printed)
        assert (answer["label"], answer["model"], len(answer["top"])) == ("7", "digits", 3)
    else:
        label, confidence = printed.split()
        assert label == "7"
        assert 0.5 < float(confidence) <= 1


@pytest.mark.parametrize("language", [name for name in RUNNERS if name != "bentoml"])
def test_code_example_sends_the_same_request_as_the_page(language: str, tmp_path: Path) -> None:
    (tmp_path / "drawing.png").write_bytes(PNG)
    service = FakeService()
    with serve_fake(service) as address, closing(Client(address, api_key="secret")) as client:
        client.classify(PNG, model="my model", device="cpu")
        request = snippet_request(address, model="my model", device="cpu", with_key=client.sends_api_key)
        run(language, request, tmp_path, API_KEY="secret", NO_PROXY="127.0.0.1")
    page_request, code_request = service.requests
    assert code_request.url == page_request.url
    assert code_request.content == page_request.content
    for header in ("Content-Type", "Authorization"):
        assert code_request.headers[header] == page_request.headers[header]


def test_api_key_is_read_from_the_environment() -> None:
    texts = [write(snippet_request(with_key=True)) for write in GENERATORS]
    assert all("API_KEY" in text or "apiKey" in text for text in texts)
    assert not any("API_KEY" in write(snippet_request()) for write, _ in RUNNERS.values())


def test_code_of_a_multi_label_model_prints_every_label_that_applies() -> None:
    request = snippet_request(multi_label=True)
    assert all("probabilities" in write(request) for write in GENERATORS if write is not snippets.curl)
    assert not any("probabilities" in write(snippet_request()) for write in GENERATORS)


def test_models_that_cannot_be_drawn_for_have_code_with_a_file_input() -> None:
    assert snippets.tabs(snippet_request())[-1] == "JavaScript: canvas"
    assert snippets.tabs(snippet_request(drawable=False))[-1] == "JavaScript: file input"


def page() -> None:
    """A page with the code examples only."""
    from tests.ui.fake_service import PNG
    from ui.views import snippets
    from ui.views.snippets import SnippetRequest

    snippets.show(SnippetRequest("http://127.0.0.1:3999", "letters", "cpu", "drawing.png", "image/png"), PNG)


def test_expander_shows_all_examples() -> None:
    shown = AppTest.from_function(page).run()
    assert [part.label for part in shown.expander] == ["For developers: use it from code"]
    assert not shown.code  # while it is closed
    shown.session_state["code"] = True
    shown.run()
    assert not shown.exception
    assert [tab.label for tab in shown.tabs] == list(snippets.TABS)
    assert [code.language for code in shown.code] == ["bash", "python", "python", "javascript", "javascript"]
    assert all("127.0.0.1:3999" in code.value and "letters" in code.value for code in shown.code)
    assert shown.get("download_button")[0].proto.label == "Download the picture"
    assert shown.get("link_button")[0].proto.url == "http://127.0.0.1:3999/"
