"""The handlers of /gallery: save, list, correct, export and delete classified pictures.

All work on the database and on pixels runs in a few threads, so that other requests do not wait for it.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import URL
from starlette.requests import Request
from starlette.responses import Response

from gallery import (
    CONNECTIONS,
    FILE_NAME,
    DatabaseUnavailable,
    Entry,
    EntryNotFound,
    InvalidImage,
    Owner,
    PendingWrite,
    QuotaExceeded,
    Store,
    StoredPrediction,
    file_url,
    parse_url,
    prepare_image,
    zip_entries,
)
from preprocessing import strip_metadata
from serving.errors import Problem
from serving.http.body_reader import BodyHeaders
from serving.http.gallery_schemas import (
    Emptied,
    EntryFilter,
    GalleryEntry,
    GalleryPage,
    ListOptions,
    SaveOptions,
    check_label,
    parse_correction,
)
from serving.http.schemas import Classification, parse_fields
from serving.http.streaming import PIECE_BYTES, PacedResponse, pieces_of
from serving.middleware.audit import audited
from serving.middleware.authentication import actor_of, authenticated_key
from serving.settings import Settings

logger = logging.getLogger("bentoml.serving")

if TYPE_CHECKING:
    from serving.http.handlers import Handlers

T = TypeVar("T")

MAX_WAITING: Final = 64
# A little more than the database allows a statement, or a writer to wait for another.
ANSWER_SECONDS: Final = 12.0
# How long a commit that has begun may take in addition, since it cannot be cancelled.
COMMIT_SECONDS: Final = 12.0
MAX_CORRECTION_BYTES: Final = 4096
# ImageLimits of one worker: concurrent exports, and bytes of other responses that clients have not read yet.
MAX_EXPORTS: Final = 2
EXPORT_RETRY_SECONDS: Final = 10
MAX_UNSENT_BYTES: Final = 67_108_864
BUSY: Final = "Too many requests wait for the gallery. Try again in a moment."
UNCHANGED: Final = "Nothing was changed."
UNCERTAIN: Final = "It is not known whether this was done. List the entries, or send it again with the same `key`."


class GalleryHandlers:
    """The handlers of /gallery: each takes a request and returns a response, or raises a ``Problem``."""

    def __init__(self, api: "Handlers", settings: Settings, home: Path) -> None:
        self._api = api
        self._settings = settings
        self._store = Store(gallery_url(settings, home), settings.gallery_max_entries, settings.gallery_max_bytes)
        self._threads = ThreadPoolExecutor(CONNECTIONS, "gallery")
        self._waiting = 0
        self._exports = 0
        self._unsent = 0
        self._check = check_label(lambda model: api.registry.model(model).card, settings.max_characters)

    def close(self) -> None:
        """Close the connections to the database."""
        self._threads.shutdown(wait=False)
        self._store.close()

    async def create(self, request: Request) -> Response:
        """``POST /gallery``: classify a picture and save it."""
        await self._api.check_ready()
        upload = await self._api.uploads.image(request)
        key = parse_fields(SaveOptions, upload.fields).key
        answer = await self._api.predict(upload)
        with audited("gallery.save", actor_of(request.scope), model=answer.model, label=answer.label) as details:
            entry, new, id = await self._write(self._save, upload.images[0], answer, key, _keeper(request))
            details |= {"entry": str(id), "new": new}
        response = _json(entry, 201 if new else 200)
        response.headers["Location"] = f"/gallery/{id}"
        return response

    def _save(
        self,
        data: bytes | memoryview,
        answer: Classification,
        key: str | None,
        keeper: Owner,
        pending: PendingWrite,
    ) -> tuple[str, bool, UUID]:
        said = answer.model_dump(include=set(StoredPrediction.__dataclass_fields__))
        found = strip_metadata(data)
        kept = prepare_image(found.data, found.orientation)
        entry, new = self._store.save(StoredPrediction(**said), kept, key, keeper, pending)
        return GalleryEntry.of(entry).model_dump_json(), new, entry.id

    async def list_entries(self, request: Request) -> Response:
        """``GET /gallery``: a page of entries, newest first."""
        page = await self._run(self._page, parse_fields(ListOptions, request.query_params))
        return self._answer(page.encode(), "application/json")

    def _page(self, listing: ListOptions) -> str:
        entries, following, total = self._store.page(listing.choice(), listing.limit, listing.after())
        shown = [GalleryEntry.of(entry) for entry in entries]
        return GalleryPage(entries=shown, next=following.encode() if following else None, total=total).model_dump_json()

    async def show(self, request: Request) -> Response:
        """``GET /gallery/{id}``: an entry."""
        entry = await self._run(self._store.get, request.path_params["id"])
        return _json(GalleryEntry.of(entry).model_dump_json())

    async def image(self, request: Request) -> Response:
        """``GET /gallery/{id}/image``: the saved picture."""
        return self._answer(*await self._run(self._store.image, request.path_params["id"]))

    async def correct(self, request: Request) -> Response:
        """``PATCH /gallery/{id}``: set or remove the correct label."""
        headers = BodyHeaders.of(request.scope)
        body = await self._api.uploads.bodies.read(request, headers, MAX_CORRECTION_BYTES, _correction_too_large)
        correction, id = parse_correction(bytes(body)), request.path_params["id"]
        with audited("gallery.correct", actor_of(request.scope), entry=str(id)) as details:
            entry = await self._write(self._store.correct, id, correction.label, self._check)
            details["label"] = correction.label
        return _json(GalleryEntry.of(entry).model_dump_json())

    async def delete(self, request: Request) -> Response:
        """``DELETE /gallery/{id}``"""
        id = request.path_params["id"]
        with audited("gallery.delete", actor_of(request.scope), entry=str(id)):
            await self._write(self._store.delete, id)
        return Response(status_code=204)

    async def empty(self, request: Request) -> Response:
        """``DELETE /gallery``: delete every entry."""
        with audited("gallery.empty", actor_of(request.scope)) as details:
            details["deleted"] = deleted = await self._write(self._store.delete_all)
        return _json(Emptied(deleted=deleted).model_dump_json())

    async def export(self, request: Request) -> Response:
        """``GET /gallery/export``: the pictures as a ZIP file."""
        choice = parse_fields(EntryFilter, request.query_params).choice()
        headers = {"Content-Disposition": 'attachment; filename="gallery.zip"'}
        if request.method == "HEAD":
            return Response(headers=headers, media_type="application/zip")
        if self._exports >= MAX_EXPORTS:
            detail = "The service writes as many exports as it may at a time. Try again when one has ended."
            raise Problem("overloaded", detail, EXPORT_RETRY_SECONDS)
        self._exports += 1
        try:
            pieces = zip_entries(self._store.entries_with_images(choice), _document)
            first = await self._run(next, pieces, None)  # a database that is down fails here, before the response begins
        except BaseException:
            self._export_ended()
            raise
        return PacedResponse(self._stream(first, pieces), self._export_ended, headers, "application/zip")

    async def _stream(self, piece: bytes | None, pieces: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
        """The pieces, each made after the one before was sent; an error closes the connection."""
        while piece is not None:
            yield piece
            piece = await self._in_thread(partial(next, pieces, None))

    def _export_ended(self) -> None:
        self._exports -= 1

    def _answer(self, body: bytes, media_type: str) -> Response:
        """A response that may be large; its bytes are counted until the client has read it.

        Raises:
            Problem: ``overloaded``: too many bytes are unsent.
        """
        if len(body) <= PIECE_BYTES:
            return Response(body, media_type=media_type)
        if self._unsent and self._unsent + len(body) > MAX_UNSENT_BYTES:
            raise Problem("overloaded", BUSY)
        self._unsent += len(body)

        def end() -> None:
            self._unsent -= len(body)

        return PacedResponse(pieces_of(body), end, {"Content-Length": str(len(body))}, media_type)

    async def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        """The result of ``work`` in a thread, unless too many requests wait.

        Raises:
            Problem: ``overloaded``; as ``_in_thread``.
        """
        if self._waiting >= MAX_WAITING:
            raise Problem("overloaded", BUSY)
        return await self._in_thread(partial(work, *arguments))

    async def _write(self, work: Callable[..., T], *arguments: Any) -> T:
        """As ``_run``, for ``work`` that takes a ``PendingWrite``: a 503 says whether something was changed, or that this is
        not known."""
        if self._waiting >= MAX_WAITING:
            raise Problem("overloaded", BUSY)
        pending = PendingWrite()
        try:
            return await self._in_thread(partial(work, *arguments, pending=pending), pending)
        finally:
            pending.cancel()

    async def _in_thread(self, work: Callable[[], T], pending: PendingWrite | None = None) -> T:
        """The result of ``work`` in a thread. A write that takes too long is cancelled, unless its commit has begun.

        Raises:
            Problem: ``not_found``, ``undecodable``, ``too_large`` (the gallery is full), ``unavailable`` (its database is).
        """
        changed = "" if pending is None else UNCHANGED
        begun = asyncio.get_running_loop().run_in_executor(self._threads, work)
        self._waiting += 1
        try:
            await asyncio.wait({begun}, timeout=ANSWER_SECONDS)
            if not begun.done() and pending is not None and not pending.cancel():
                await asyncio.wait({begun}, timeout=COMMIT_SECONDS)
                changed = changed if begun.done() else UNCERTAIN
            if not begun.done():
                raise self._unavailable("it does not answer", changed, None)
            return begun.result()
        except EntryNotFound as error:
            raise Problem("not_found", "There is no such entry in the gallery. It may have been deleted.") from error
        except InvalidImage as error:
            raise Problem("undecodable", str(error)) from error
        except QuotaExceeded as error:
            raise Problem("too_large", self._full(error)) from error
        except DatabaseUnavailable as error:
            raise self._unavailable(str(error), UNCERTAIN if error.uncertain else changed, error.__cause__) from error
        finally:
            begun.cancel()  # does not start it, or discards its result
            self._waiting -= 1

    def _full(self, error: QuotaExceeded) -> str:
        """The error text for a full gallery."""
        if error.of == "entries":
            most, setting = f"{self._settings.gallery_max_entries:,} entries", "GALLERY_MAX_ENTRIES"
        else:
            most, setting = f"{self._settings.gallery_max_bytes:,} bytes of pictures", "GALLERY_MAX_BYTES"
        return f"The gallery is full: it may hold {most}. Delete entries, export and empty it, or raise {setting}."

    def _unavailable(self, reason: str, changed: str, cause: BaseException | None) -> Problem:
        """The error for a database that cannot be used; the log has the cause."""
        logger.warning("The gallery's database cannot be used: %s (%s)", reason, cause)
        detail = f"The gallery's database cannot be used: {reason}. {changed} Everything else works; try again in a moment."
        return Problem("unavailable", detail.replace("  ", " "))


def gallery_url(settings: Settings, home: Path) -> URL:
    """The database of the gallery: ``GALLERY_URL``, or a SQLite file in ``home``."""
    return file_url(home / FILE_NAME) if settings.gallery_url is None else parse_url(settings.gallery_url)


def _keeper(request: Request) -> Owner:
    """The owner of an entry: the API key of the request, or nobody where there are no keys."""
    key = authenticated_key(request.scope)
    return Owner() if key is None else Owner(key.name, key.allows("admin"))


def _json(content: str, status: int = 200) -> Response:
    return Response(content, status, media_type="application/json")


def _document(entry: Entry) -> dict[str, Any]:
    return GalleryEntry.of(entry).model_dump(mode="json")


def _correction_too_large(size: int, limit: int, _at_least: bool) -> Problem:
    return Problem("too_large", f"The correction has {size:,} bytes; at most {limit:,} are allowed.")
