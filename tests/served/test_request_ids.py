"""`X-Request-ID` in every answer of a real service, and the audit log of what changes something."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from serving.middleware.api_keys import add_key, remove_key
from tests.served.keyed import ORIGINS, Keyed
from tests.support.pictures import digit, encoded
from tests.support.waiting import until

pytestmark = pytest.mark.served

SEVEN = encoded(digit("7"))
MADE = re.compile(r"[0-9a-f]{16}")
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@pytest.fixture(scope="module")
def client(keyed: Keyed) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=keyed.address, headers={"Authorization": f"Bearer {keyed.admin}"}, timeout=30) as client:
        yield client


ANSWERS = [
    ("POST", "/classify", {"content": SEVEN}, 200),
    ("POST", "/classify", {"content": b"no picture"}, 415),
    ("POST", "/classify/batch", {"files": [("images", SEVEN)]}, 200),
    ("GET", "/models", {}, 200),  # mounted beside BentoML's routes
    ("GET", "/readyz", {}, 200),
    ("GET", "/metrics", {}, 200),  # BentoML's own
    ("GET", "/docs.json", {}, 200),
    ("GET", "/gallery/export", {}, 200),  # streamed
    ("GET", "/nothing", {}, 404),
    ("PUT", "/classify", {}, 405),
    ("POST", "/classify", {"content": SEVEN, "headers": {"Authorization": "Bearer wrong"}}, 401),
    ("POST", "/classify", {"content": SEVEN, "headers": {"Origin": "https://foe.example"}}, 403),
]


@pytest.mark.parametrize(("method", "path", "options", "status"), ANSWERS)
def test_every_answer_has_the_id_of_its_request(
    client: httpx.Client, method: str, path: str, options: dict[str, object], status: int
) -> None:
    headers = options.get("headers", {})
    assert isinstance(headers, dict)
    response = client.request(method, path, **{**options, "headers": {**headers, "X-Request-ID": "mine:1"}})  # type: ignore[arg-type]
    assert response.status_code == status, response.text
    assert response.headers.get_list("x-request-id") == ["mine:1"]
    if status >= 400:
        assert response.json()["request_id"] == "mine:1"


def test_preflight_of_another_origin_has_an_id_and_exposes_the_header(keyed: Keyed) -> None:
    asks = {"Origin": ORIGINS[0], "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "X-Request-ID"}
    preflight = httpx.options(f"{keyed.address}/classify", headers=asks)
    assert preflight.status_code == 200
    assert MADE.fullmatch(preflight.headers["x-request-id"])
    response = httpx.get(f"{keyed.address}/livez", headers={"Origin": ORIGINS[0]})
    assert "X-Request-ID" in response.headers["access-control-expose-headers"]


@pytest.mark.parametrize("given", ["", "x" * 129, 'quote"', "two words", "a,b", "é"])
def test_an_id_that_is_not_well_formed_is_replaced(keyed: Keyed, given: str) -> None:
    response = httpx.get(f"{keyed.address}/livez", headers=[(b"X-Request-ID", given.encode("latin-1"))])
    assert MADE.fullmatch(response.headers["x-request-id"])


def test_two_ids_are_replaced_by_one(keyed: Keyed) -> None:
    response = httpx.get(f"{keyed.address}/livez", headers=[("X-Request-ID", "one"), ("X-Request-ID", "two")])
    assert MADE.fullmatch(response.headers["x-request-id"])


def test_an_answer_that_no_route_gives_has_an_id(keyed: Keyed) -> None:
    host, port = keyed.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"GARBAGE\r\n\r\n")
        head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
    (request_id,) = re.findall(rb"x-request-id: ([0-9a-f]{16})\r\n", head)
    assert b'"request_id": "%s"' % request_id in body


def test_images_of_a_batch_fail_under_the_id_of_the_request(client: httpx.Client) -> None:
    response = client.post("/classify/batch", files=[("images", SEVEN), ("images", b"no picture")])
    assert response.json()[1]["request_id"] == response.headers["x-request-id"]


def audit_lines(log: Path, request_id: str) -> list[str]:
    """What follows "action=" in the lines of the audit log with an id, as soon as there is one."""
    pattern = re.compile(rf" action=(.*) \(request_id={request_id}\)$", re.MULTILINE)
    until(lambda: pattern.search(log.read_text()))
    return pattern.findall(log.read_text())


def test_every_change_is_one_line_of_the_audit_log(client: httpx.Client, keyed: Keyed) -> None:
    def change(method: str, path: str, request_id: str, **options: object) -> str:
        response = client.request(method, path, headers={"X-Request-ID": request_id}, **options)  # type: ignore[arg-type]
        assert response.status_code < 500
        (line,) = audit_lines(keyed.log, request_id)
        return line

    who = "actor=me client=127.0.0.1"
    saved = change("POST", "/gallery", "audit-save", content=SEVEN)
    match = re.fullmatch(rf"gallery.save outcome=done {who} model=digits label=7 entry=({UUID}) new=true", saved)
    assert match is not None, saved
    which = f"entry={match[1]}"
    path = f"/gallery/{match[1]}"
    corrected = change("PATCH", path, "audit-correct", json={"label": "1"})
    assert corrected == f"gallery.correct outcome=done {who} {which} label=1"
    refused = change("PATCH", path, "audit-refused", json={"label": "no such"})
    assert re.fullmatch(rf'gallery.correct outcome=\w+ {who} {which} reason=".*"', refused)
    assert change("DELETE", path, "audit-delete") == f"gallery.delete outcome=done {who} {which}"
    gone = change("DELETE", path, "audit-gone")
    assert re.fullmatch(rf'gallery.delete outcome=not_found {who} {which} reason=".*"', gone)
    assert re.fullmatch(rf"gallery.empty outcome=done {who} deleted=\d+", change("DELETE", "/gallery", "audit-empty"))
    reloaded = change("POST", "/models/reload", "audit-reload")
    assert re.fullmatch(rf'models.reload outcome=done {who} models=\[.*"digits:1.3.0".*\]', reloaded)


def test_a_change_that_the_role_does_not_allow_is_in_the_audit_log(keyed: Keyed) -> None:
    headers = {"Authorization": f"Bearer {keyed.reader}", "X-Request-ID": "audit-forbidden"}
    assert httpx.delete(f"{keyed.address}/gallery", headers=headers).status_code == 403
    (line,) = audit_lines(keyed.log, "audit-forbidden")
    assert line == 'request outcome=forbidden actor=page client=127.0.0.1 method=DELETE path="/gallery"'


def test_a_change_of_the_keys_is_in_the_audit_log_and_no_key_is(keyed: Keyed) -> None:
    secret = add_key(keyed.file, "visitor", "read")
    try:
        until(lambda: httpx.get(f"{keyed.address}/models", headers={"Authorization": f"Bearer {secret}"}).status_code == 200)
    finally:
        remove_key(keyed.file, "visitor")
    pattern = re.compile(r'action=api_keys.reload outcome=done actor="file of keys" .*$', re.MULTILINE)
    until(lambda: pattern.search(keyed.log.read_text()))
    line = pattern.findall(keyed.log.read_text())[0]
    assert 'added=["visitor"] removed=[]' in line
    assert "request_id" not in line
    log = keyed.log.read_text()
    assert not [key for key in (secret, keyed.admin, keyed.reader) if key in log]
