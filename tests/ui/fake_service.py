"""A fake of the classifier service in the test process: it answers requests and records them."""

import io
import json
import zipfile
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.pictures import WHITE, digit, encoded

PNG = encoded(digit("7"))
GREY_PNG = encoded(digit("7", paper=WHITE).convert("L"))
JPEG = encoded(digit("7", paper=WHITE).convert("RGB"), "JPEG")
WEBP = encoded(digit("7", paper=WHITE), "WEBP")
OTHER_PNG = encoded(digit("4"))
CLOTHES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
SCENES = ["sky", "water", "people", "night"]
LETTERS = [chr(code) for code in range(ord("A"), ord("Z") + 1)]
NO_GPU = "onnxruntime has no CUDA provider on this machine"

Reply = Callable[[httpx.Request], httpx.Response]


def classification(label: str = "7", **changes: Any) -> dict[str, Any]:
    """Return a response body of `POST /classify`, with a field that the page does not know."""
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
    """Return a response body of `POST /explain`."""
    png = b64encode(GREY_PNG).decode()
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
    """Return one entry of `GET /models`: a model of digits."""
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


def fashion_model() -> dict[str, Any]:
    """Return the entry of a model of objects, which cannot be drawn."""
    return model("fashion", title="Clothing", card={"labels": CLOTHES, "input": {"geometry": {"subject": "object"}}})


def photo_model(name: str = "scenes", *, colour: str = "RGB", multi_label: bool = False) -> dict[str, Any]:
    """Return the entry of a model of whole pictures."""
    card = {
        "labels": SCENES,
        "input": {"colour": colour, "geometry": {"subject": "photo"}},
        "output": {"multi_label": multi_label},
    }
    return model(name, title="Scenes", card=card)


def sequence_model(name: str = "numbers", reader: str = "digits") -> dict[str, Any]:
    """Return the entry of a model that reads several characters, each with the model `reader`."""
    labels = [*map(str, range(10)), *([] if name == "numbers" else LETTERS)]
    return model(name, title=f"Sequences: {name}", card={"task": "sequence", "reader": f"{reader}:1.0.0", "labels": labels})


def sequence_classification(
    text: str = "42", *, unsure: Sequence[int] = (), confidence: float = 0.96, **changes: Any
) -> dict[str, Any]:
    """Return an answer of a sequence model: characters side by side. Those with the numbers in `unsure` are rejected."""
    characters: list[dict[str, Any]] = []
    for line_number, line in enumerate(text.split("\n")):
        for place, label in enumerate(line):
            share = 0.41 if len(characters) in unsure else 0.98
            characters.append(
                {
                    "label": label,
                    "confidence": share,
                    "top": [{"label": label, "confidence": share}, {"label": "1", "confidence": 0.01}],
                    "box": [60 + 90 * place, 70 + 120 * line_number, 70, 100],
                    "line": line_number,
                    "rejected": len(characters) in unsure,
                }
            )
    other = text[:-1] + "6"
    top = [{"label": text, "confidence": confidence}, {"label": other, "confidence": 0.02}]
    reason = f"characters {', '.join(str(number + 1) for number in unsure)} are unlike the training data" if unsure else None
    return (
        classification(text)
        | {
            "model": "numbers",
            "confidence": confidence,
            "top": top,
            "probabilities": {each["label"]: each["confidence"] for each in top},
            "characters": characters,
            "rejected": bool(unsure),
            "reject_reason": reason,
        }
        | changes
    )


def characters_model() -> dict[str, Any]:
    """Return the entry of a cascade, which has no input of its own."""
    return model("characters", title="Characters", card={"labels": [*map(str, range(10)), *LETTERS, "drawing"]})


def models_response(*names: str, others: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """Return a response body of `GET /models`: models of digits with these names, and `others`."""
    models = [*(model(name) for name in names or ("digits",)), *others]
    return {"default": "digits", "defaults": {"top_k": 3}, "models": models}


def problem_response(status: int, code: str, title: str = "Refused", detail: str = "Because.") -> httpx.Response:
    """Return an error response with a problem document."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}
    return httpx.Response(status, content=json.dumps(body), headers={"Content-Type": "application/problem+json"})


def refuse_connection(request: httpx.Request) -> httpx.Response:
    """Raise the error of a port where nothing listens."""
    raise httpx.ConnectError("refused", request=request)


def request_pictures(request: httpx.Request) -> list[bytes]:
    """Return the pictures in the body of a request to `/classify/batch`."""
    boundary = request.headers["Content-Type"].partition("boundary=")[2].encode()
    parts = request.content.split(b"--" + boundary)[1:-1]
    return [part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in parts]


def batch_response(request: httpx.Request) -> httpx.Response:
    """Answer `POST /classify/batch`: a classification per picture, a problem document for anything else."""
    broken = json.loads(problem_response(415, "unsupported_media", "Unsupported", "Not PNG, JPEG or WebP.").content)
    known = (PNG[:4], JPEG[:3], WEBP[:4])
    answers = [classification() if picture.startswith(known) else broken for picture in request_pictures(request)]
    return httpx.Response(200, json=answers)


@dataclass
class FakeGallery:
    """The gallery of the fake service: entries by id, newest last. While `database_down`, it answers 503."""

    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)
    database_down: bool = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.database_down:
            return problem_response(503, "unavailable", "Unavailable", "The database of the gallery does not answer.")
        if request.url.path == "/gallery":
            return {"GET": self.page, "POST": self.save, "DELETE": self.delete_all}[request.method](request)
        if request.url.path == "/gallery/export":
            return httpx.Response(200, content=self.export(), headers={"Content-Type": "application/zip"})
        id = request.url.path.removeprefix("/gallery/").removesuffix("/image")
        if id not in self.entries:
            return problem_response(404, "not_found", "Not found", "There is no such picture in the gallery.")
        if request.url.path.endswith("/image"):
            return httpx.Response(200, content=OTHER_PNG, headers={"Content-Type": "image/png"})
        if request.method == "DELETE":
            del self.entries[id]
            return httpx.Response(204)
        self.entries[id]["corrected"] = json.loads(request.content)["label"]
        return httpx.Response(200, json=self.entries[id])

    def save(self, request: httpx.Request) -> httpx.Response:
        """Add an entry, or replace the one with the same key; the correction stays while picture and model are the same."""
        key, model = request.url.params["key"], request.url.params["model"]
        known = self.keys.get(key) in self.entries
        id = self.keys[key] if known else f"p{len(self.keys)}x{len(self.entries)}"
        same = known and self.pictures[id] == request.content and self.entries[id]["model"] == model
        corrected = self.entries[id]["corrected"] if same else None
        self.keys[key], self.pictures[id] = id, request.content
        self.entries[id] = gallery_entry(id, model=model, corrected=corrected)
        return httpx.Response(200 if known else 201, json=self.entries[id])

    def page(self, request: httpx.Request) -> httpx.Response:
        """Return one page of the selected entries; the cursor is the number of entries before it."""
        params = request.url.params
        start = int(params.get("cursor", 0))
        end = start + int(params["limit"])
        entries = [
            entry
            for entry in reversed(self.entries.values())
            if params.get("model") in (None, entry["model"])
            and params.get("label") in (None, entry["corrected"] or entry["label"])
            and params.get("corrected") in (None, str(entry["corrected"] is not None).lower())
        ]
        following = str(end) if end < len(entries) else None
        return httpx.Response(200, json={"entries": entries[start:end], "next": following, "total": len(entries)})

    def delete_all(self, _request: httpx.Request) -> httpx.Response:
        """Delete all entries."""
        count = len(self.entries)
        self.entries.clear()
        return httpx.Response(200, json={"deleted": count})

    def export(self) -> bytes:
        """Return a ZIP file with a picture per entry and the manifest."""
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for id, entry in self.entries.items():
                archive.writestr(f"{entry['corrected'] or entry['label']}/{id}.png", PNG)
            archive.writestr("manifest.json", json.dumps(list(self.entries.values())))
        return file.getvalue()


def gallery_entry(id: str, label: str = "7", **changes: Any) -> dict[str, Any]:
    """Return an entry of the gallery."""
    return {
        "id": id,
        "created": "2026-11-21T15:00:00.123456Z",
        "updated": "2026-11-21T15:00:00.123456Z",
        "model": "digits",
        "version": "1.0.0",
        "label": label,
        "confidence": 0.991,
        "rejected": False,
        "category": None,
        "top": [{"label": label, "confidence": 0.991}],
        "corrected": None,
        "width": 280,
        "height": 280,
        "image": f"/gallery/{id}/image",
        "thumbnail": b64encode(PNG).decode(),
    } | changes


@dataclass
class FakeService:
    """Answers requests by path and records them in `requests`. Tests may replace `replies`.

    Without a `gallery` it is a service whose gallery is off. While `down`, connections are refused.
    """

    replies: dict[str, Reply] = field(
        default_factory=lambda: {
            "/readyz": lambda _: httpx.Response(200),
            "/models": lambda _: httpx.Response(200, json=models_response()),
            "/classify": lambda _: httpx.Response(200, json=classification()),
            "/classify/batch": batch_response,
            "/explain": lambda _: httpx.Response(200, json=explanation()),
        }
    )
    gallery: FakeGallery | None = None
    down: bool = False
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.down:
            return refuse_connection(request)
        if request.url.path.startswith("/gallery") and request.url.path not in self.replies:
            return (
                self.gallery(request)
                if self.gallery
                else problem_response(404, "not_found", "Not found", "The gallery is off.")
            )
        reply = self.replies[request.url.path](request)
        if request.url.path == "/models" and self.gallery:
            return httpx.Response(200, json=reply.json() | {"gallery": True})
        return reply

    def requests_to(self, path: str) -> list[httpx.Request]:
        """Return the recorded requests to one path."""
        return [request for request in self.requests if request.url.path == path]
