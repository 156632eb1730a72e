"""The code examples, copied from the page and run: they give the same answer as the page."""

import io
import json
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.processes import serve_fake
from tests.browser.strokes import SEVEN, draw, draw_and_expect
from tests.support.processes import ROOT
from tests.ui.fake_service import FakeService
from ui.views.snippets import TABS, SnippetRequest, canvas

pytestmark = pytest.mark.browser


def codes(page: Page) -> list[str]:
    """Return the code of each tab."""
    page.get_by_text("Use it from code").click()
    texts = []
    for name in TABS:
        page.get_by_role("tab", name=name, exact=True).click()
        code = page.get_by_role("tabpanel").filter(visible=True).locator("code")
        expect(code).to_be_visible()
        texts.append(code.inner_text())
    return texts


def test_code_examples_of_the_page_run(page: Page, service_address: str, tmp_path: Path) -> None:
    draw_and_expect(page, SEVEN, "7")
    curl, bentoml, httpx, javascript, _ = codes(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the picture").click()
    download.value.save_as(tmp_path / "drawing.png")

    for command, code in ((["bash", "-c"], curl), ([sys.executable, "-c"], bentoml), ([sys.executable, "-c"], httpx)):
        ran = subprocess.run([*command, code], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
        assert (json.loads(ran.stdout)["label"] if code is curl else ran.stdout.split()[0]) == "7"
    assert ROOT not in tmp_path.parents  # the scripts cannot import the project

    # In a browser there is no file system, and the page must be of the service's origin.
    page.goto(f"{service_address}/")
    body = javascript.partition("\n\n")[2].replace("console.log(answer.label, answer.confidence);", "return answer.label;")
    picture = list((tmp_path / "drawing.png").read_bytes())
    label = page.evaluate(f"async bytes => {{ const readFile = async () => new Uint8Array(bytes);\n{body}\n}}", picture)
    assert label == "7"


@pytest.mark.parametrize("with_key", [False, True])
def test_canvas_example_sends_json(desktop: Page, with_key: bool) -> None:
    service = FakeService()
    service.replies["/favicon.ico"] = lambda _: httpx.Response(204)
    with serve_fake(service) as address:
        desktop.goto(f"{address}/models")  # a page of the same origin
        desktop.evaluate("document.body.append(Object.assign(document.createElement('canvas'), { width: 30, height: 20 }))")
        code = canvas(SnippetRequest(address, "my model", "cpu", "drawing.png", "image/png", with_key=with_key))
        code = code.replace("console.log(answer.label, answer.confidence);", "return answer.label;")
        assert desktop.evaluate(f"async apiKey => {{ {code}\n}}", "secret") == "7"
        desktop.goto("about:blank")
    (request,) = service.requests_to("/classify")
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers.get("Authorization") == ("Bearer secret" if with_key else None)
    sent = json.loads(request.content)
    kind, _, picture = sent.pop("image").partition(",")
    assert kind == "data:image/png;base64" and Image.open(io.BytesIO(b64decode(picture))).size == (30, 20)
    assert sent == {"model": "my model", "top_k": 3, "device": "cpu"}


def test_link_to_the_api_page(page: Page, service_address: str) -> None:
    draw(page, SEVEN)
    page.get_by_text("Use it from code").click()
    expect(page.get_by_role("link", name="All routes of the service")).to_have_attribute("href", f"{service_address}/")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_horizontal_scrolling_on_a_phone(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    draw(page, SEVEN)
    codes(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
