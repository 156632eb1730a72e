"""The gallery routes without a service: settings, a database that does not answer, and clients that read slowly."""

import asyncio
import json
import re
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message

from gallery import CONNECTIONS, Filter, Page, PendingWrite, Store
from serving.errors import Problem
from serving.http.gallery_handlers import MAX_EXPORTS, MAX_WAITING, GalleryHandlers, gallery_url
from serving.http.gallery_schemas import Correction, EntryFilter, ListOptions, SaveOptions, parse_correction
from serving.http.handlers import Handlers
from serving.http.routes import ROUTES, handle
from serving.http.schemas import Classification, Timings, parse_fields
from serving.http.streaming import PIECE_BYTES
from serving.http.uploads import Upload
from serving.middleware.api_keys import Key
from serving.middleware.authentication import SCOPE_KEY
from serving.settings import Settings
from serving.startup import load_settings
from tests.gallery.entries import FOUR, SEVEN, prediction
from tests.serving.http.requests import reader
from tests.support.pictures import digit, encoded


def test_default_database_is_a_sqlite_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (gallery_url(Settings(), Path("/home")).database or "").endswith("/gallery.db")
    monkeypatch.setenv("GALLERY_URL", "postgresql://me:secret@localhost/gallery")
    url = gallery_url(Settings(), Path("/home"))
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
    message = capsys.readouterr().err
    assert re.fullmatch(r"Setting GALLERY_URL is not valid: .*postgresql://user:password@host.*\n", message)
    assert "secret" not in message


@pytest.mark.parametrize(
    ("schema", "name", "value"),
    [
        (SaveOptions, "key", "a b"),
        (ListOptions, "limit", "1.5"),
        (ListOptions, "cursor", "AAAA"),
        (EntryFilter, "model", "x" * 64),
    ],
)
def test_bad_values_are_named(schema: type[SaveOptions | EntryFilter], name: str, value: str) -> None:
    with pytest.raises(Problem, match=f"{name}=") as refused:
        parse_fields(schema, {name: value})
    assert refused.value.code == "bad_request"


def test_missing_values_use_defaults() -> None:
    assert parse_fields(ListOptions, {"cursor": "", "corrected": "null", "other": "x"}) == ListOptions(
        model=None, label=None, corrected=None, limit=24, cursor=None
    )


def test_corrections() -> None:
    assert parse_correction(b'{"label": "8", "note": 1}') == Correction(label="8")
    assert parse_correction(b'{"label": null}') == Correction(label=None)
    for body in (b"", b"null", b"{}", b'{"label": 8}', b'{"label": "a\\u0000"}', b'{"label": "%s"}' % (b"x" * 512)):
        with pytest.raises(Problem, match="Send JSON like") as refused:
            parse_correction(body)
        assert refused.value.code == "bad_request"


class NoModels:
    """In the place of the handlers with models: one that reads everything as a 7."""

    def __init__(self) -> None:
        self.uploads = reader()
        self.gallery: GalleryHandlers

    class registry:  # noqa: N801
        @staticmethod
        def model(_: str) -> Any:
            return SimpleNamespace(card=SimpleNamespace(labels=list("0123456789")))

    async def check_ready(self) -> None:
        """It is."""

    async def predict(self, _: Upload) -> Classification:
        return ANSWER


ANSWER = Classification(
    **{
        **asdict(prediction()),
        "probabilities": {"7": 0.75},
        "reject_reason": None,
        "characters": None,
        "provider": "",
        "batch_size": 1,
    },
    timings_ms=Timings(decode=0, preprocess=0, queue=0, inference=0, total=0),
)
PICTURE = encoded(digit("7"))


@pytest.fixture
def gallery(tmp_path: Path) -> GalleryHandlers:
    """A gallery over HTTP on a file of its own, whose models are never asked."""
    settings = Settings(gallery_url=f"sqlite:///{tmp_path}/gallery.db")
    models = NoModels()
    models.gallery = GalleryHandlers(cast(Handlers, models), settings, tmp_path)
    return models.gallery


async def respond(gallery: GalleryHandlers, path: str, request: Request) -> Response:
    """The answer of the route for a path."""
    method = "GET" if request.method == "HEAD" else request.method
    (handler,) = (route.handler for route in ROUTES if (route.method, route.path) == (method, path))
    return await handle(handler, gallery._api, request)


def get(path: str, method: str = "GET", body: bytes = b"", query: str = "", **path_params: Any) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": []}
    return Request({**scope, "path_params": path_params}, receive)


def writes(gallery: GalleryHandlers, id: UUID) -> list[Callable[[], Awaitable[Response]]]:
    """One of each that changes the gallery."""
    one = "/gallery/{id:uuid}"
    return [
        lambda: respond(gallery, "/gallery", get("/gallery", "POST", PICTURE)),
        lambda: respond(gallery, "/gallery", get("/gallery", "POST", PICTURE, "key=another")),
        lambda: respond(gallery, "/gallery", get("/gallery", "POST", PICTURE, "key=first")),
        lambda: respond(gallery, one, get(one, "PATCH", b'{"label": "8"}', id=id)),
        lambda: respond(gallery, one, get(one, "DELETE", id=id)),
        lambda: respond(gallery, "/gallery", get("/gallery", "DELETE")),
    ]


@pytest.fixture
def writer(gallery: GalleryHandlers, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Another program that has the database of the gallery, in which there is one entry, locked for writing."""
    gallery._store.save(prediction("4"), FOUR, "first")
    with closing(sqlite3.connect(tmp_path / "gallery.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


def test_write_answered_503_is_not_done_afterwards(
    gallery: GalleryHandlers, writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is locked for longer than an answer may take, and then is not any more."""
    monkeypatch.setattr("serving.http.gallery_handlers.ANSWER_SECONDS", 0.3)
    (before,) = gallery._store.page(Filter(), 9).entries

    async def ask() -> list[Response]:
        return await asyncio.gather(*(write() for write in writes(gallery, before.id)))

    for answer in asyncio.run(ask()):
        assert answer.status_code == 503
        assert b"Nothing was changed." in answer.body
    writer.rollback()
    gallery._threads.shutdown(wait=True)  # whatever still waited for the database has gone on by now
    (after,) = gallery._store.page(Filter(), 9).entries
    assert (after.id, after.updated, after.label, after.corrected) == (before.id, before.updated, "4", None)
    gallery.close()


def test_a_commit_that_has_begun_is_waited_for(gallery: GalleryHandlers, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be called off: the answer says what became of it, or that this is not known."""
    monkeypatch.setattr("serving.http.gallery_handlers.ANSWER_SECONDS", 1.0)
    monkeypatch.setattr("serving.http.gallery_handlers.prepare_image", lambda *_: SEVEN)
    gallery._store.page(Filter(), 1)
    go_on = Event()

    def slowly(self: PendingWrite) -> None:
        begin_commit(self)
        go_on.wait()

    begin_commit = PendingWrite.begin_commit
    monkeypatch.setattr(PendingWrite, "begin_commit", slowly)

    async def keep(wait: float) -> Response:
        answer = asyncio.ensure_future(respond(gallery, "/gallery", get("/gallery", "POST", PICTURE)))
        asyncio.get_running_loop().call_later(wait, go_on.set)
        return await answer

    assert asyncio.run(keep(1.2)).status_code == 201
    go_on.clear()
    monkeypatch.setattr("serving.http.gallery_handlers.COMMIT_SECONDS", 0.1)
    answer = asyncio.run(keep(60))
    assert answer.status_code == 503
    assert b"It is not known whether this was done" in answer.body
    go_on.set()
    gallery._threads.shutdown(wait=True)
    assert gallery._store.page(Filter(), 9).total == 2
    gallery.close()


def test_writes_of_disconnected_clients_are_cancelled(gallery: GalleryHandlers, writer: sqlite3.Connection) -> None:
    (before,) = gallery._store.page(Filter(), 9).entries

    async def ask() -> None:
        answers = [asyncio.ensure_future(write()) for write in writes(gallery, before.id)]
        while gallery._waiting < len(answers):
            await asyncio.sleep(0.01)
        for answer in answers:
            answer.cancel()
        await asyncio.wait(answers)

    asyncio.run(ask())
    writer.rollback()
    gallery._threads.shutdown(wait=True)
    (after,) = gallery._store.page(Filter(), 9).entries
    assert (after.id, after.updated) == (before.id, before.updated)
    assert gallery._waiting == 0
    gallery.close()


def test_each_api_key_has_its_own_entries(gallery: GalleryHandlers) -> None:
    def keep(key: Key | None) -> Any:
        request = get("/gallery", "POST", PICTURE, "key=drawing")
        request.scope[SCOPE_KEY] = key
        answer = asyncio.run(respond(gallery, "/gallery", request))
        return answer.status_code, json.loads(bytes(answer.body))["id"]

    page, app, me = Key("page", "read", b""), Key("app", "read", b""), Key("me", "admin", b"")
    kept = {key: keep(key) for key in (page, app, me, None)}
    assert [status for status, _ in kept.values()] == [201] * 4
    assert all(keep(key) == (200, id) for key, (_, id) in kept.items())
    gallery._store.correct(kept[page][1] and UUID(kept[page][1]), "8", lambda _model, _label: None)
    ANSWER.model = "another"
    try:
        status, id = keep(page)
        assert status == 201 and id != kept[page][1]
    finally:
        ANSWER.model = "digits"
    assert gallery._store.get(UUID(kept[page][1])).corrected == "8"
    gallery.close()


def export(gallery: GalleryHandlers) -> Response:
    return asyncio.run(respond(gallery, "/gallery/export", get("/gallery/export")))


def test_concurrent_exports_are_limited(gallery: GalleryHandlers) -> None:
    gallery._store.save(prediction(), SEVEN)

    async def crowd() -> None:
        answers = [await respond(gallery, "/gallery/export", get("/gallery/export")) for _ in range(MAX_EXPORTS + 1)]
        assert [answer.status_code for answer in answers] == [200] * MAX_EXPORTS + [429]
        assert int(answers[-1].headers["retry-after"]) >= 1
        head = await respond(gallery, "/gallery/export", get("/gallery/export", "HEAD"))
        assert head.status_code == 200

        async def send(_: Message) -> None:
            """Take it."""

        async def receive() -> Message:
            return {"type": "http.disconnect"}

        request = get("/gallery/export")
        await answers[0](request.scope, receive, send)
        again = await respond(gallery, "/gallery/export", request)
        assert again.status_code == 200
        for answer in (again, *answers[1:-1]):
            await answer(request.scope, receive, send)

    asyncio.run(crowd())
    assert gallery._exports == 0
    gallery.close()


def test_unread_responses_are_limited(gallery: GalleryHandlers, monkeypatch: pytest.MonkeyPatch) -> None:
    body = bytes(2 * PIECE_BYTES)
    entry, _ = gallery._store.save(prediction(), replace(SEVEN, image=body, media_type="image/webp"))
    monkeypatch.setattr("serving.http.gallery_handlers.MAX_UNSENT_BYTES", 3 * len(body))
    image = "/gallery/{id:uuid}/image"

    async def ask() -> None:
        answers = [await respond(gallery, image, get(image, id=entry.id)) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[0].headers["content-type"] == "image/webp"
        assert answers[0].headers["content-length"] == str(len(body))
        sent: list[bytes] = []

        async def send(message: Message) -> None:
            sent.append(message.get("body", b""))

        async def receive() -> Message:
            await asyncio.Event().wait()
            raise AssertionError

        await answers[0](get(image).scope, receive, send)
        assert b"".join(sent) == body
        assert (await respond(gallery, image, get(image, id=entry.id))).status_code == 200

    asyncio.run(ask())
    gallery.close()


def test_export_that_fails_midway_closes_the_connection(
    gallery: GalleryHandlers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that ended as if it were whole would be a ZIP file with entries missing."""
    monkeypatch.setattr("gallery.store.EXPORT_PAGE", 2)
    store: Store = gallery._store
    for _ in range(5):
        store.save(prediction(), SEVEN)

    async def export() -> None:
        answer = await respond(gallery, "/gallery/export", get("/gallery/export"))
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


def test_export_that_cannot_begin_is_answered_with_an_error(gallery: GalleryHandlers, tmp_path: Path) -> None:
    (tmp_path / "gallery.db").write_bytes(b"something else " * 1000)
    assert export(gallery).status_code == 503
    assert gallery._exports == 0


def test_too_many_waiting_requests_are_refused(gallery: GalleryHandlers) -> None:
    async def crowd() -> list[Response]:
        return await asyncio.gather(*(respond(gallery, "/gallery", get("/gallery")) for _ in range(2 * MAX_WAITING)))

    answers = asyncio.run(crowd())
    gallery.close()
    assert [answer.status_code for answer in answers] == [200] * MAX_WAITING + [429] * MAX_WAITING


def test_hanging_database_does_not_block_other_requests(gallery: GalleryHandlers, monkeypatch: pytest.MonkeyPatch) -> None:
    awake = Event()
    page = gallery._store.page

    def hang(*arguments: Any) -> Page:
        awake.wait()
        return page(*arguments)

    async def ask(count: int) -> set[int]:
        answers = [respond(gallery, "/gallery", get("/gallery")) for _ in range(count)]
        return {answer.status_code for answer in await asyncio.gather(*answers)}

    monkeypatch.setattr(gallery._store, "page", hang)
    monkeypatch.setattr("serving.http.gallery_handlers.ANSWER_SECONDS", 0.05)
    assert asyncio.run(ask(3 * CONNECTIONS)) == {503}
    awake.set()
    monkeypatch.setattr("serving.http.gallery_handlers.ANSWER_SECONDS", 60)
    assert asyncio.run(ask(3 * CONNECTIONS)) == {200}
    gallery.close()


def test_unexpected_error_is_answered_500_and_logged(
    gallery: GalleryHandlers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(gallery._store, "page", fail)
    answer = asyncio.run(respond(gallery, "/gallery", get("/gallery")))
    assert answer.status_code == 500
    assert b"a bug" not in answer.body
    assert "a bug" in caplog.text
