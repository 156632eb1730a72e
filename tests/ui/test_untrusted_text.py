"""Texts of model cards, files, the service and its errors are shown literally, never as Markdown or HTML."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from streamlit.testing.v1 import AppTest

from tests.ui.fake_service import (
    PNG,
    FakeGallery,
    FakeService,
    explanation,
    gallery_entry,
    problem_response,
)
from tests.ui.page_actions import FakeCanvas, alerts, choose_source, html_of, open_explanation, owned, upload
from tests.ui.untrusted_text import MALICIOUS, malicious_classification, malicious_model
from ui.components import markup

# Fields that Streamlit shows literally, by element and field.
LITERAL_FIELDS = {("selectbox", "options"), ("selectbox", "rawValue"), ("code", "codeText"), ("bidi_component", "json")}


@pytest.fixture
def malicious_service(service: FakeService) -> FakeService:
    """A service whose texts are all malicious."""
    models = [malicious_model("digits"), malicious_model(MALICIOUS)]
    service.replies["/models"] = lambda _: httpx.Response(200, json={"default": "digits", "models": models})
    service.replies["/classify"] = lambda _: httpx.Response(200, json=malicious_classification())
    original = explanation()
    stages = [stage | {"note": MALICIOUS} for stage in original["stages"]]
    heatmap = original["heatmap"] | {"note": MALICIOUS}
    explained = malicious_classification() | {"stages": stages, "heatmap": heatmap, "logits": {MALICIOUS: 1.0}}
    service.replies["/explain"] = lambda _: httpx.Response(200, json=explained)
    entries = {
        "a": gallery_entry("a", MALICIOUS, model=MALICIOUS, corrected=f"2{MALICIOUS}"),
        "b": gallery_entry("b", MALICIOUS, model="digits"),
    }
    service.gallery = FakeGallery(entries)
    return service


@pytest.fixture
def page(malicious_service: FakeService, start: Callable[[], AppTest]) -> AppTest:
    assert malicious_service.replies
    return start()


def nodes(block: Any) -> Iterator[Any]:
    """Yield a block of the page and everything inside it."""
    yield block
    for child in getattr(block, "children", {}).values():
        yield from nodes(child)


def assert_literal(page: AppTest) -> None:
    """Assert that malicious text is only in escaped HTML and in fields that Streamlit shows literally."""
    assert not page.exception
    for node in nodes(page._tree):
        if node.type == "html":
            assert "<img src=http" not in node.proto.body
            assert "onerror=x>" not in node.proto.body
        elif getattr(node, "proto", None) is not None:
            for field, value in MessageToDict(node.proto).items():
                if (node.type, field) not in LITERAL_FIELDS:
                    assert "evil" not in json.dumps(value), (node.type, field)


def test_every_part_of_an_answer_is_literal(page: AppTest, malicious_service: FakeService, fake_canvas: FakeCanvas) -> None:
    assert_literal(page)
    fake_canvas.draw(PNG)
    page.run()
    page.selectbox(key="comparison-model").set_value(MALICIOUS).run()
    open_explanation(page)
    page.session_state["code"] = True
    page.run()
    assert_literal(page)
    text = html_of(page)
    assert text.count(markup.escape(MALICIOUS)) > 20
    assert 'class="stages"' in text and 'class="logits"' in text and page.code
    malicious_service.replies["/classify"] = lambda _: httpx.Response(200, json=malicious_classification(rejected=True))
    page.button(key="ask").click().run()
    assert 'role="note"' in html_of(page)
    assert_literal(page)


@pytest.mark.parametrize("code", ["unsupported_media", "unknown_code"])
def test_error_messages_are_literal(page: AppTest, malicious_service: FakeService, fake_canvas: FakeCanvas, code: str) -> None:
    malicious_service.replies["/classify"] = lambda _: problem_response(415, code, MALICIOUS, MALICIOUS)
    malicious_service.replies["/gallery"] = lambda _: problem_response(429, code, MALICIOUS, MALICIOUS)
    fake_canvas.draw(PNG)
    owned(page.toggle, "save").set_value(True).run()
    page.button(key="saved-refresh").click().run()
    assert MALICIOUS in alerts(page)[0]
    assert_literal(page)
    malicious_service.replies["/classify"] = lambda _: problem_response(503, "unavailable", MALICIOUS, MALICIOUS)
    page.run()
    assert MALICIOUS in alerts(page)[0]
    assert_literal(page)


def test_file_names_and_errors_are_literal(page: AppTest, malicious_service: FakeService) -> None:
    choose_source(page, "upload")
    upload(page, (f"{MALICIOUS}.png", PNG))
    page.session_state["code"] = True
    page.run()
    assert_literal(page)
    refused = {"status": 415, "title": MALICIOUS, "detail": MALICIOUS, "code": "unknown_code"}
    malicious_service.replies["/classify/batch"] = lambda _: httpx.Response(200, json=[malicious_classification(), refused])
    upload(page, (f"{MALICIOUS}.png", PNG), (f"2{MALICIOUS}.png", b"no picture"))
    assert html_of(page).count(markup.escape(f"2{MALICIOUS}.png")) == 2
    assert_literal(page)


def test_unprintable_characters_are_replaced() -> None:
    # An escape sequence, right-to-left text, and a lone surrogate, which Streamlit could not encode.
    assert markup.escape("a\x1b[31m\u202egnp\u2066\ud800\x9b") == "a\ufffd[31m\ufffdgnp\ufffd\ufffd\ufffd"
    assert markup.escape("가 é 👩‍🔬 \t\n") == "가 é 👩‍🔬 \t\n"
