"""What comes from a card, a file, the service or its errors is shown as it is written, and never as Markdown or HTML."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from streamlit.testing.v1 import AppTest

from tests.ui.service import PNG, Gallery, Service, classification, explanation, kept, model, problem
from tests.ui.visitor import Hand, alerts, choose, explain, send, written
from ui import markup

PICTURE = "![x](http://evil.example/a.png)"
HOSTILE = (
    f"{PICTURE} :smile: :material/home: $x^2$ :red[r] -> www.evil.example <img src=http://evil.example/b.png onerror=x>'\""
)
# Where Streamlit shows text as it is, by element and field.
PLAIN = {("selectbox", "options"), ("selectbox", "rawValue"), ("code", "codeText"), ("bidi_component", "json")}


def hostile_model(name: str) -> dict[str, Any]:
    """A model whose every text is hostile."""
    card = {"labels": [HOSTILE, f"2{HOSTILE}"], "input": {"geometry": {"subject": "ink"}}, "licence": HOSTILE}
    return model(name, version=HOSTILE, title=HOSTILE, card=card, devices={"gpu": {"available": False, "reason": HOSTILE}})


def hostile_answer(**changes: Any) -> dict[str, Any]:
    """An answer whose every text is hostile."""
    texts = {
        "model": HOSTILE,
        "version": HOSTILE,
        "reject_reason": HOSTILE,
        "category": {"label": HOSTILE, "confidence": 0.5},
        "provider": HOSTILE,
        "probabilities": {HOSTILE: 0.9, **{f"{number}{HOSTILE}": 0.001 for number in range(20)}},
        "timings_ms": {HOSTILE: 1.0, "total": 2.0},
    }
    return classification(HOSTILE, **texts | changes)


@pytest.fixture
def hostile(service: Service) -> Service:
    """A service that means harm with every text it sends."""
    models = [hostile_model("digits"), hostile_model(HOSTILE)]
    service.replies["/models"] = lambda _: httpx.Response(200, json={"default": "digits", "models": models})
    service.replies["/classify"] = lambda _: httpx.Response(200, json=hostile_answer())
    explained = explanation()
    stages = [stage | {"note": HOSTILE} for stage in explained["stages"]]
    heatmap = explained["heatmap"] | {"note": HOSTILE}
    told = hostile_answer() | {"stages": stages, "heatmap": heatmap, "logits": {HOSTILE: 1.0}}
    service.replies["/explain"] = lambda _: httpx.Response(200, json=told)
    entries = {"a": kept("a", HOSTILE, model=HOSTILE, corrected=f"2{HOSTILE}"), "b": kept("b", HOSTILE, model="digits")}
    service.gallery = Gallery(entries)
    return service


@pytest.fixture
def page(hostile: Service, start: Callable[[], AppTest]) -> AppTest:
    assert hostile.replies
    return start()


def nodes(block: Any) -> Iterator[Any]:
    """A part of the page and all in it."""
    yield block
    for child in getattr(block, "children", {}).values():
        yield from nodes(child)


def assert_literal(page: AppTest) -> None:
    """Hostile text is in HTML, escaped, and in fields that Streamlit shows as they are; in no other."""
    assert not page.exception
    for node in nodes(page._tree):
        if node.type == "html":
            assert "<img src=http" not in node.proto.body
            assert "onerror=x>" not in node.proto.body
        elif getattr(node, "proto", None) is not None:
            for field, value in MessageToDict(node.proto).items():
                if (node.type, field) not in PLAIN:
                    assert "evil" not in json.dumps(value), (node.type, field)


def test_an_answer_with_all_its_parts(page: AppTest, hostile: Service, hand: Hand) -> None:
    assert_literal(page)
    hand.draw(PNG)
    page.run()
    page.selectbox(key="rival").set_value(HOSTILE).run()
    explain(page)
    page.session_state["code"] = True
    page.run()
    assert_literal(page)
    text = written(page)
    assert text.count(markup.text(HOSTILE)) > 20
    assert 'class="stages"' in text and 'class="logits"' in text and page.code
    hostile.replies["/classify"] = lambda _: httpx.Response(200, json=hostile_answer(rejected=True))
    page.button(key="ask").click().run()
    assert 'role="note"' in written(page)
    assert_literal(page)


@pytest.mark.parametrize("code", ["unsupported_media", "nobody_knows"])
def test_refusals(page: AppTest, hostile: Service, hand: Hand, code: str) -> None:
    hostile.replies["/classify"] = lambda _: problem(415, code, HOSTILE, HOSTILE)
    hostile.replies["/gallery"] = lambda _: problem(429, code, HOSTILE, HOSTILE)
    hand.draw(PNG)
    page.toggle(key="keep").set_value(True).run()
    page.button(key="kept-refresh").click().run()
    assert HOSTILE in alerts(page)[0]
    assert_literal(page)
    hostile.replies["/classify"] = lambda _: problem(503, "unavailable", HOSTILE, HOSTILE)
    page.run()
    assert HOSTILE in alerts(page)[0]
    assert_literal(page)


def test_files(page: AppTest, hostile: Service) -> None:
    choose(page, "upload")
    send(page, (f"{HOSTILE}.png", PNG))
    page.session_state["code"] = True
    page.run()
    assert_literal(page)
    refused = {"status": 415, "title": HOSTILE, "detail": HOSTILE, "code": "nobody_knows"}
    hostile.replies["/classify/batch"] = lambda _: httpx.Response(200, json=[hostile_answer(), refused])
    send(page, (f"{HOSTILE}.png", PNG), (f"2{HOSTILE}.png", b"no picture"))
    assert written(page).count(markup.text(f"2{HOSTILE}.png")) == 2
    assert_literal(page)


def test_what_cannot_be_shown_is_marked() -> None:
    # An escape sequence, a text that runs from right to left, half of a surrogate pair, which Streamlit could not send.
    assert markup.text("a\x1b[31m\u202egnp\u2066\ud800\x9b") == "a\ufffd[31m\ufffdgnp\ufffd\ufffd\ufffd"
    assert markup.text("가 é 👩‍🔬 \t\n") == "가 é 👩‍🔬 \t\n"
