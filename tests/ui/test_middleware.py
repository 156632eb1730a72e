"""The page's server rejects foreign hosts and origins; a real process answers. Every browser test checks that the page sends no
request to other servers."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.browser.processes import start_page
from ui.middleware import inline_script_hashes, is_allowed_host

OWN_HOST = "draw.example.org"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """An HTTP client of a page that has no service."""
    with (
        start_page("http://127.0.0.1:9", tmp_path_factory.mktemp("page"), UI_HOSTS=OWN_HOST) as address,
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        yield client


@pytest.mark.served
def test_uploads_need_a_valid_xsrf_token(page: httpx.Client) -> None:
    page.get("/_stcore/health")
    token = page.cookies["_streamlit_xsrf"]
    for headers in ({}, {"X-Xsrftoken": "2|0|0|0"}):
        refused = page.put("/_stcore/upload_file/session/file", files={"file": b"x"}, headers=headers)
        assert (refused.status_code, refused.text) == (403, "XSRF token missing or invalid")
    known = page.put("/_stcore/upload_file/session/file", files={"file": b"x"}, headers={"X-Xsrftoken": token})
    assert "XSRF" not in known.text


def websocket_opens(page: httpx.Client, host: str, origin: str | None) -> bool:
    """Return whether the page's WebSocket opens with these Host and Origin headers."""
    own = urlsplit(str(page.base_url))
    with socket.create_connection((own.hostname or "", own.port or 0), timeout=30) as connection:
        try:
            with connect(f"ws://{host}/_stcore/stream", sock=connection, origin=Origin(origin) if origin else None, proxy=None):
                return True
        except InvalidStatus as refused:
            assert refused.response.status_code == 403
            return False


@pytest.mark.served
def test_websocket_opens_for_allowed_hosts_and_origins_only(page: httpx.Client) -> None:
    own = urlsplit(str(page.base_url)).netloc
    port = own.rpartition(":")[2]
    for host in (own, f"localhost:{port}", f"[::1]:{port}", f"192.0.2.7:{port}", OWN_HOST):
        assert websocket_opens(page, host, f"http://{host}"), host
    assert websocket_opens(page, OWN_HOST, f"https://{OWN_HOST}")  # behind a TLS proxy
    assert websocket_opens(page, own, None)
    for host in ("evil.example", f"evil.example:{port}", f"127.0.0.1.evil.example:{port}", f"x.{OWN_HOST}"):
        assert not websocket_opens(page, host, f"http://{host}"), host
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1", f"http://127.0.0.1.evil.example:{port}", "http://["):
        assert not websocket_opens(page, own, origin), origin


@pytest.mark.served
def test_requests_with_a_foreign_host_are_rejected(page: httpx.Client) -> None:
    for path in ("/", "/_stcore/health", "/_stcore/host-config", "/nowhere"):
        refused = page.get(path, headers={"Host": "evil.example"})
        assert refused.status_code == 421
        assert "UI_HOSTS" in refused.text
        assert page.get(path, headers={"Host": OWN_HOST}).status_code == 200
    upload = "/_stcore/upload_file/session/file"
    assert page.put(upload, files={"file": b"x"}, headers={"Origin": "http://evil.example"}).status_code == 403


@pytest.mark.served
def test_responses_have_a_strict_content_security_policy(page: httpx.Client) -> None:
    for path in ("/", "/_stcore/health", "/static/js/nowhere.js"):
        headers = page.get(path).headers
        rules = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
        assert rules["default-src"] == rules["frame-ancestors"] == "'none'"
        assert rules["img-src"] == "'self' data: blob:"
        own = urlsplit(str(page.base_url)).netloc
        assert rules["connect-src"] == f"'self' data: blob: ws://{own} wss://{own}"
        assert "unsafe" not in rules["script-src"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
    assert inline_script_hashes(page.get("/").text)


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("localhost", True),
        ("LOCALHOST:80", True),
        ("page.localhost", True),
        ("[::1]", True),
        ("10.0.0.1:8501", True),
        ("Box", True),
        ("box:1", True),
        ("", False),
        ("box.evil", False),
        ("localhost.evil", False),
        ("127.0.0.1:", False),
        ("127.0.0.1:x", False),
        ("127.0.0.1@evil", False),
        ("evil/127.0.0.1", False),
        ("evil;.localhost", False),
        ("[::1", False),
        ("256.0.0.1", False),
        ("2130706433", False),
        ("1２7.0.0.1", False),
    ],
)
def test_allowed_hosts(host: str, own: bool) -> None:
    assert is_allowed_host(host, {"box"}) is own
