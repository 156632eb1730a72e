"""A stand-in for the service inside the process: what the page is told, and what it asked."""

import json
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.pictures import WHITE, digit, encoded

PNG = encoded(digit("7"))
JPEG = encoded(digit("7", paper=WHITE).convert("RGB"), "JPEG")
WEBP = encoded(digit("7", paper=WHITE), "WEBP")
OTHER_PNG = encoded(digit("4"))
CLOTHES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
LETTERS = [chr(code) for code in range(ord("A"), ord("Z") + 1)]
NO_GPU = "onnxruntime has no CUDA provider on this machine"

Reply = Callable[[httpx.Request], httpx.Response]


def classification(label: str = "7", **changes: Any) -> dict[str, Any]:
    """An answer of `POST /classify`, with a field the page does not know."""
    probabilities = {str(digit): 0.001 for digit in range(10)} | {label: 0.991}
    return {
        "model": "digits",
        "version": "1.0.0",
        "label": label,
        "confidence": 0.991,
        "top": [
            {"label": label, "confidence": 0.991},
            {"label": "1", "confidence": 0.001},
            {"label": "2", "confidence": 0.001},
        ],
        "probabilities": probabilities,
        "rejected": False,
        "reject_reason": None,
        "category": None,
        "provider": "CPUExecutionProvider",
        "batch_size": 4,
        "timings_ms": {"decode": 0.5, "preprocess": 0.1, "queue": 0.2, "inference": 0.1, "total": 1.1},
        "not_known_to_the_page": {"a": 1},
    } | changes


def explanation(label: str = "7", **changes: Any) -> dict[str, Any]:
    """An answer of `POST /explain`."""
    png = b64encode(PNG).decode()
    stages = [
        {"name": name, "png": png, "min": 0.0, "mean": 12.3, "max": 255.0, "note": f"What {name} is."}
        for name in ("gray", "ink", "crop", "input")
    ]
    return (
        classification(label)
        | {"stages": stages, "logits": {label: 9.1}, "heatmap": {"png": png, "note": "Brighter mattered more."}}
        | changes
    )


def model(name: str, **changes: Any) -> dict[str, Any]:
    """One entry of `GET /models`."""
    return {
        "name": name,
        "version": "1.0.0",
        "title": f"Handwritten {name}",
        "sha256": "ab" * 32,
        "card": {
            "labels": [str(digit) for digit in range(10)],
            "input": {"size": 28, "geometry": {"subject": "ink"}},
            "licence": "Apache-2.0",
        },
        "providers": ["CPUExecutionProvider"],
        "devices": {"cpu": {"available": True, "reason": None}, "gpu": {"available": False, "reason": NO_GPU}},
    } | changes


def fashion() -> dict[str, Any]:
    """The entry of a model of objects, which are not drawn."""
    return model("fashion", title="Clothing", card={"labels": CLOTHES, "input": {"geometry": {"subject": "object"}}})


def characters() -> dict[str, Any]:
    """The entry of a cascade, which has no input of its own."""
    return model("characters", title="Characters", card={"labels": [*map(str, range(10)), *LETTERS, "drawing"]})


def catalogue(*names: str, others: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """An answer of `GET /models`: models of digits by these names, and others."""
    models = [*(model(name) for name in names or ("digits",)), *others]
    return {"default": "digits", "defaults": {"top_k": 3}, "models": models}


def problem(status: int, code: str, title: str = "Refused", detail: str = "Because.") -> httpx.Response:
    """A problem document."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}
    return httpx.Response(status, content=json.dumps(body), headers={"Content-Type": "application/problem+json"})


def unreachable(request: httpx.Request) -> httpx.Response:
    """Nobody listens."""
    raise httpx.ConnectError("refused", request=request)


@dataclass
class Service:
    """Answers by path; a test may replace a reply or the whole of them, and read what was asked."""

    replies: dict[str, Reply] = field(
        default_factory=lambda: {
            "/models": lambda _: httpx.Response(200, json=catalogue()),
            "/classify": lambda _: httpx.Response(200, json=classification()),
            "/explain": lambda _: httpx.Response(200, json=explanation()),
        }
    )
    down: bool = False
    asked: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return unreachable(request) if self.down else self.replies[request.url.path](request)

    def asked_for(self, path: str) -> list[httpx.Request]:
        """The requests to one path."""
        return [request for request in self.asked if request.url.path == path]
