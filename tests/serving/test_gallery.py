"""serving.gallery without a service: its settings, and what is told of a gallery that cannot keep up or breaks off."""

import asyncio
import re
from pathlib import Path
from threading import Event
from typing import Any, cast

import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from gallery import CONNECTIONS, Page, Store
from serving.entries import Chosen, Correction, Keeping, Listing, parse_correction
from serving.errors import Problem
from serving.gallery import MOST_ASKED, GalleryRoutes
from serving.routes import Routes
from serving.schemas import parse_fields
from serving.settings import Settings
from serving.startup import gallery_url, load_settings
from tests.gallery.entries import SEVEN, prediction


def test_the_file_of_the_gallery_when_no_address_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (gallery_url(Settings()).database or "").endswith("/gallery.db")
    monkeypatch.setenv("GALLERY_URL", "postgresql://me:secret@localhost/gallery")
    url = gallery_url(Settings())
    assert (url.drivername, url.database, url.password) == ("postgresql+psycopg", "gallery", "secret")
    assert "secret" not in repr(Settings())


@pytest.mark.parametrize("address", ["me:secret@localhost", "mysql://me:secret@localhost/gallery", "sqlite://"])
def test_a_bad_address_stops_the_start_in_one_line_without_its_password(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GALLERY_URL", address)
    with pytest.raises(SystemExit) as stopped:
        load_settings()
    assert stopped.value.code == 2
    told = capsys.readouterr().err
    assert re.fullmatch(r"Setting GALLERY_URL is not valid: .*postgresql://user:password@host.*\n", told)
    assert "secret" not in told


@pytest.mark.parametrize(
    ("schema", "name", "value"),
    [(Keeping, "key", "a b"), (Listing, "limit", "1.5"), (Listing, "cursor", "AAAA"), (Chosen, "model", "x" * 64)],
)
def test_bad_values_are_named(schema: type[Keeping | Chosen], name: str, value: str) -> None:
    with pytest.raises(Problem, match=f"{name}=") as refused:
        parse_fields(schema, {name: value})
    assert refused.value.code == "bad_request"


def test_values_that_are_not_given() -> None:
    assert parse_fields(Listing, {"cursor": "", "corrected": "null", "other": "x"}) == Listing(
        model=None, label=None, corrected=None, limit=24, cursor=None
    )


def test_corrections() -> None:
    assert parse_correction(b'{"label": "8", "note": 1}') == Correction(label="8")
    assert parse_correction(b'{"label": null}') == Correction(label=None)
    for body in (b"", b"null", b"{}", b'{"label": 8}', b'{"label": "a\\u0000"}', b'{"label": "%s"}' % (b"x" * 101)):
        with pytest.raises(Problem, match="Send JSON like") as refused:
            parse_correction(body)
        assert refused.value.code == "bad_request"


@pytest.fixture
def gallery(tmp_path: Path) -> GalleryRoutes:
    """A gallery over HTTP on a file of its own, whose models are never asked."""

    class NoRoutes:
        by_path: dict[str, Any] = {}  # noqa: RUF012

    settings = Settings(gallery_url=f"sqlite:///{tmp_path}/gallery.db")
    return GalleryRoutes(cast(Routes, NoRoutes()), settings)


def get(path: str) -> Request:
    return Request({"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], "path_params": {}})


def test_an_export_that_cannot_go_on_breaks_off(
    gallery: GalleryRoutes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that ended as if it were whole would be a ZIP file with entries missing."""
    monkeypatch.setattr("gallery.store.EXPORT_PAGE", 2)
    store: Store = gallery._store
    for _ in range(5):
        store.keep(prediction(), SEVEN)

    async def export() -> None:
        answer = await gallery.respond("/gallery/export", get("/gallery/export"))
        assert isinstance(answer, StreamingResponse)
        pieces = aiter(answer.body_iterator)
        assert await anext(pieces)
        store.close()
        for file in tmp_path.iterdir():
            file.write_bytes(b"something else " * 1000)
        with pytest.raises(Problem, match="not a database"):
            async for _ in pieces:
                pass

    asyncio.run(export())
    gallery.close()


def test_an_export_that_cannot_begin_is_a_problem(gallery: GalleryRoutes, tmp_path: Path) -> None:
    (tmp_path / "gallery.db").write_bytes(b"something else " * 1000)
    assert asyncio.run(gallery.respond("/gallery/export", get("/gallery/export"))).status_code == 503


def test_too_many_that_wait_are_refused(gallery: GalleryRoutes) -> None:
    async def crowd() -> list[Response]:
        return await asyncio.gather(*(gallery.respond("/gallery", get("/gallery")) for _ in range(2 * MOST_ASKED)))

    answers = asyncio.run(crowd())
    gallery.close()
    assert [answer.status_code for answer in answers] == [200] * MOST_ASKED + [429] * MOST_ASKED


def test_a_database_that_hangs_holds_nobody(gallery: GalleryRoutes, monkeypatch: pytest.MonkeyPatch) -> None:
    awake = Event()
    page = gallery._store.page

    def hang(*arguments: Any) -> Page:
        awake.wait()
        return page(*arguments)

    async def ask(count: int) -> set[int]:
        answers = [gallery.respond("/gallery", get("/gallery")) for _ in range(count)]
        return {answer.status_code for answer in await asyncio.gather(*answers)}

    monkeypatch.setattr(gallery._store, "page", hang)
    monkeypatch.setattr("serving.gallery.ANSWER_SECONDS", 0.05)
    assert asyncio.run(ask(3 * CONNECTIONS)) == {503}
    awake.set()
    monkeypatch.setattr("serving.gallery.ANSWER_SECONDS", 60)
    assert asyncio.run(ask(3 * CONNECTIONS)) == {200}
    gallery.close()


def test_a_fault_of_ours_is_told_as_such_and_logged(
    gallery: GalleryRoutes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(gallery._store, "page", fail)
    answer = asyncio.run(gallery.respond("/gallery", get("/gallery")))
    assert answer.status_code == 500
    assert b"a bug" not in answer.body
    assert "a bug" in caplog.text
