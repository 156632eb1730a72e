"""Responses of a malicious service: every text holds Markdown, HTML and Streamlit directives."""

from typing import Any

from tests.ui.fake_service import classification, model

MALICIOUS = (
    "![x](http://evil.example/a.png) :smile: :material/home: $x^2$ :red[r] -> www.evil.example "
    "<img src=http://evil.example/b.png onerror=x>'\""
)


def malicious_model(name: str) -> dict[str, Any]:
    """Return an entry of `GET /models` with malicious texts."""
    labels = [MALICIOUS, f"2{MALICIOUS}"]
    card = {"labels": labels, "input": {"geometry": {"subject": "ink"}}, "licence": MALICIOUS}
    devices = {"gpu": {"available": False, "reason": MALICIOUS}}
    return model(name, version=MALICIOUS, title=MALICIOUS, card=card, devices=devices)


def malicious_classification(**changes: Any) -> dict[str, Any]:
    """Return a response body of `POST /classify` with malicious texts."""
    texts = {
        "model": MALICIOUS,
        "version": MALICIOUS,
        "reject_reason": MALICIOUS,
        "category": {"label": MALICIOUS, "confidence": 0.5},
        "provider": MALICIOUS,
        "probabilities": {MALICIOUS: 0.9, **{f"{number}{MALICIOUS}": 0.001 for number in range(20)}},
        "timings_ms": {MALICIOUS: 1.0, "total": 2.0},
    }
    return classification(MALICIOUS, **texts | changes)
