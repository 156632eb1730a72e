"""/gallery of a real `bentoml serve` process with two workers, on SQLite and on PostgreSQL."""

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from PIL import Image

from tests.support.pictures import BLACK, WHITE, digit, encoded
from tests.support.problems import is_problem
from tests.support.processes import free_port, start_service

pytestmark = pytest.mark.served

SEVEN = encoded(digit("7"))
FOUR = encoded(digit("4"))
BLANK = encoded(Image.new("RGBA", (280, 280), WHITE))
MOST = 40


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, model_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('gallery')}/kept.db"
    else:
        url = request.getfixturevalue("postgres").new_database()
    with start_service(model_store, free_port(), GALLERY_URL=url, GALLERY_MAX_ENTRIES=str(MOST), WORKERS="1") as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    """A client of a gallery that is empty."""
    with httpx.Client(base_url=address, timeout=30) as client:
        assert client.delete("/gallery").status_code == 200
        yield client


def keep(client: httpx.Client, data: bytes = SEVEN, **options: str) -> dict[str, Any]:
    """The new entry of a picture."""
    response = client.post("/gallery", content=data, params=options)
    assert response.status_code == 201, response.text
    entry: dict[str, Any] = response.json()
    return entry


def listed(client: httpx.Client, **params: str | int) -> dict[str, Any]:
    response = client.get("/gallery", params=params)
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    return page


def ids(page: dict[str, Any]) -> list[str]:
    return [entry["id"] for entry in page["entries"]]


def test_an_entry_of_the_contract(client: httpx.Client) -> None:
    before = datetime.now(timezone.utc)
    response = client.post("/gallery", files={"image": ("7.png", SEVEN, "image/png")}, data={"top_k": "2", "key": "form-key"})
    assert response.status_code == 201
    entry = response.json()
    assert set(entry) == {
        *("id", "created", "updated", "model", "version", "label", "confidence", "rejected", "category", "top", "corrected"),
        *("width", "height", "image", "thumbnail"),
    }
    assert response.headers["location"] == f"/gallery/{entry['id']}"
    assert before <= datetime.fromisoformat(entry["created"].replace("Z", "+00:00")) <= before + timedelta(minutes=1)
    assert entry["created"].endswith("Z")
    answer = client.post("/classify", content=SEVEN).json()
    for field in ("model", "version", "label", "confidence", "rejected", "category"):
        assert entry[field] == answer[field], field
    assert entry["top"] == answer["top"][:2]
    assert (entry["width"], entry["height"], entry["corrected"]) == (280, 280, None)
    thumbnail = Image.open(io.BytesIO(base64.b64decode(entry["thumbnail"])))
    assert (thumbnail.format, thumbnail.size) == ("PNG", (160, 160))
    assert client.get(f"/gallery/{entry['id']}").json() == entry
    kept = client.get(entry["image"])
    assert kept.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(kept.content)).tobytes() == digit("7").tobytes()


def test_models_say_that_pictures_can_be_kept(client: httpx.Client) -> None:
    assert client.get("/models").json()["gallery"] is True


def test_a_key_makes_one_entry(client: httpx.Client) -> None:
    first = keep(client, key="drawing-1")
    again = client.post("/gallery", content=FOUR, params={"key": "drawing-1"})
    assert (again.status_code, again.headers["location"]) == (200, f"/gallery/{first['id']}")
    assert (again.json()["id"], again.json()["label"], again.json()["created"]) == (first["id"], "4", first["created"])
    assert listed(client)["total"] == 1
    text = {"image": base64.b64encode(FOUR).decode(), "key": "drawing-1"}
    for as_text in (client.post("/gallery", json=text), client.post("/gallery", data=text)):
        assert (as_text.status_code, as_text.json()["id"]) == (200, first["id"])
    for key in ("two words", "ä", "x" * 65, "../.."):
        assert "key" in is_problem(client.post("/gallery", content=SEVEN, params={"key": key}), 400, "bad_request")


def test_pages(client: httpx.Client) -> None:
    kept = [keep(client)["id"] for _ in range(5)]
    first = listed(client, limit=2)
    assert (ids(first), first["total"]) == (kept[:2:-1], 5)
    client.delete(f"/gallery/{kept[3]}")
    keep(client)
    second = listed(client, limit=2, cursor=first["next"])
    assert ids(second) == [kept[2], kept[1]]
    last = listed(client, limit=2, cursor=second["next"])
    assert (ids(last), last["next"]) == ([kept[0]], None)


def test_choices(client: httpx.Client) -> None:
    seven, four = keep(client)["id"], keep(client, FOUR)["id"]
    client.patch(f"/gallery/{four}", json={"label": "7"})
    assert ids(listed(client, label="7", model="digits")) == [four, seven]
    assert ids(listed(client, corrected="true")) == [four]
    assert ids(listed(client, corrected="false")) == [seven]
    assert listed(client, model="letters") == {"entries": [], "next": None, "total": 0}


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", "0"), ("limit", "101"), ("limit", "many"), ("cursor", "x"), ("corrected", "perhaps"), ("label", "a\0b")],
)
def test_bad_parameters_are_named(client: httpx.Client, name: str, value: str) -> None:
    assert f"{name}=" in is_problem(client.get("/gallery", params={name: value}), 400, "bad_request")


def test_corrections(client: httpx.Client) -> None:
    path = f"/gallery/{keep(client)['id']}"
    corrected = client.patch(path, json={"label": "8"})
    assert (corrected.status_code, corrected.json()["label"], corrected.json()["corrected"]) == (200, "7", "8")
    assert client.get(path).json() == corrected.json()
    assert client.patch(path, json={"label": None}).json()["corrected"] is None
    for label in ("Shirt", "", "7 "):
        assert "0, 1, 2" in is_problem(client.patch(path, json={"label": label}), 400, "bad_request")
    for body in (b"", b"label", b"{}", b"[]", b'{"label": 8}', b"\xff", b'{"label": "\\ud800"}', b"[" * 4000):
        is_problem(client.patch(path, content=body), 400, "bad_request")
    is_problem(client.patch(path, content=bytes(5000)), 413, "too_large")
    assert client.get(path).json()["corrected"] is None


def test_what_is_removed_is_gone(client: httpx.Client) -> None:
    first, second = keep(client), keep(client)
    gone = client.delete(f"/gallery/{first['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    for method, path in [("GET", ""), ("GET", "/image"), ("DELETE", ""), ("PATCH", "")]:
        for id in (first["id"], str(uuid4())):
            is_problem(client.request(method, f"/gallery/{id}{path}", json={"label": "1"}), 404, "not_found")
    is_problem(client.get("/gallery/7"), 404, "not_found")
    assert ids(listed(client)) == [second["id"]]
    assert client.delete("/gallery").json() == {"deleted": 1}
    assert listed(client) == {"entries": [], "next": None, "total": 0}


def test_an_export_holds_every_field_of_every_entry(client: httpx.Client) -> None:
    seven, four = keep(client), keep(client, FOUR, model="digits")
    corrected = client.patch(f"/gallery/{four['id']}", json={"label": "9"}).json()
    with client.stream("GET", "/gallery/export") as response:
        assert response.headers["content-type"] == "application/zip"
        assert "gallery.zip" in response.headers["content-disposition"]
        archive = zipfile.ZipFile(io.BytesIO(response.read()))
    assert archive.testzip() is None
    files = {f"7/{seven['id']}.png": seven, f"9/{four['id']}.png": corrected}
    assert set(archive.namelist()) == {*files, "manifest.json"}
    manifest = {entry.pop("file"): entry for entry in json.loads(archive.read("manifest.json"))}
    assert manifest == files
    assert archive.read(f"7/{seven['id']}.png") == client.get(seven["image"]).content
    chosen = client.get("/gallery/export", params={"corrected": "true", "model": "digits"}).content
    assert zipfile.ZipFile(io.BytesIO(chosen)).namelist() == [f"9/{four['id']}.png", "manifest.json"]
    assert client.head("/gallery/export").headers["content-type"] == "application/zip"
    assert "corrected=" in is_problem(client.get("/gallery/export", params={"corrected": "?"}), 400, "bad_request")


def test_what_classify_refuses_is_not_kept(client: httpx.Client) -> None:
    is_problem(client.post("/gallery"), 400, "bad_request")
    is_problem(client.post("/gallery", content=BLANK), 422, "no_ink")
    is_problem(client.post("/gallery", content=SEVEN[:200]), 422, "undecodable")
    is_problem(client.post("/gallery", content=b"text"), 415, "unsupported_media")
    is_problem(client.post("/gallery", content=bytes(11_000_000)), 413, "too_large")
    is_problem(client.post("/gallery", content=SEVEN, params={"model": "nobody"}), 404, "unknown_model")
    is_problem(client.post("/gallery", content=SEVEN, params={"top_k": "0"}), 400, "bad_request")
    assert listed(client)["total"] == 0


def test_nothing_is_kept_unless_asked(client: httpx.Client) -> None:
    for path in ("/classify", "/explain"):
        assert client.post(path, content=SEVEN).status_code == 200
    assert listed(client)["total"] == 0


def test_photos_are_kept_smaller_and_without_where_they_were_taken(client: httpx.Client) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Secret Camera"
    buffer = io.BytesIO()
    photo = digit("7", ink=BLACK, paper=WHITE).convert("RGB").resize((2000, 1600)).transpose(Image.Transpose.ROTATE_90)
    photo.save(buffer, "JPEG", exif=exif)
    entry = keep(client, buffer.getvalue())
    assert (entry["label"], entry["width"], entry["height"]) == ("7", 1024, 819)
    assert b"Secret" not in client.get(entry["image"]).content


def test_a_full_gallery_says_what_to_do(client: httpx.Client) -> None:
    for number in range(MOST):
        keep(client, key=f"key-{number}")
    detail = is_problem(client.post("/gallery", content=SEVEN), 413, "too_large")
    assert f"{MOST} entries" in detail and "GALLERY_MAX_ENTRIES" in detail
    assert client.post("/gallery", content=FOUR, params={"key": "key-3"}).status_code == 200
    client.delete(f"/gallery/{listed(client)['entries'][0]['id']}")
    keep(client)


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/gallery", {"GET", "HEAD", "POST", "DELETE"}),
        ("/gallery/export", {"GET", "HEAD"}),
        (f"/gallery/{UUID(int=7)}", {"GET", "HEAD", "PATCH", "DELETE"}),
        (f"/gallery/{UUID(int=7)}/image", {"GET", "HEAD"}),
    ],
)
def test_methods(client: httpx.Client, path: str, methods: set[str]) -> None:
    for method in {"PUT", "POST", "PATCH", "DELETE"} - methods:
        response = client.request(method, path)
        is_problem(response, 405, "method_not_allowed")
        assert set(response.headers["allow"].split(", ")) == methods


def test_the_description_of_the_api_has_the_gallery(client: httpx.Client) -> None:
    described = client.get("/docs.json").json()
    methods = {path: set(item) for path, item in described["paths"].items() if path.startswith("/gallery")}
    assert methods == {
        "/gallery": {"get", "post", "delete"},
        "/gallery/export": {"get"},
        "/gallery/{id}": {"get", "patch", "delete"},
        "/gallery/{id}/image": {"get"},
    }
    entry = keep(client)
    assert set(described["components"]["schemas"]["GalleryEntry"]["properties"]) == set(entry)
    listing = described["paths"]["/gallery"]["get"]["parameters"]
    assert {parameter["name"] for parameter in listing} == {"limit", "cursor", "model", "label", "corrected"}
    for reference in {line.split('"')[1] for line in json.dumps(described).split('"$ref": ')[1:]}:
        assert reference.removeprefix("#/components/schemas/") in described["components"]["schemas"], reference
