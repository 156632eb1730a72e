"""The files of the frontend: compressed, cached, and a page that says something before they have arrived."""

import gzip
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.browser.processes import start_page
from ui.frontend import INDEX_HTML, loading_page, requested_language

# What has to arrive before something is visible on a slow line.
MAX_PAGE_BYTES = 4_000


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """An HTTP client of a page that has no service."""
    with (
        start_page("http://127.0.0.1:9", tmp_path_factory.mktemp("page")) as address,
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        yield client


def script_path(page: httpx.Client) -> str:
    """Return the path of the frontend's main script."""
    match = re.search(r'<script type="module"[^>]* src="\.(/static/js/[^"]+)"', page.get("/").text)
    assert match is not None
    return match[1]


@pytest.mark.served
def test_scripts_are_compressed_and_may_be_cached(page: httpx.Client) -> None:
    path = script_path(page)
    plain = page.get(path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    for _ in range(2):  # compressed, then kept
        with page.stream("GET", path) as response:
            sent = b"".join(response.iter_raw())
        assert response.headers["content-encoding"] == "gzip"
        assert response.headers["vary"] == "Accept-Encoding"
        assert "immutable" in response.headers["cache-control"]
        assert response.headers["x-content-type-options"] == "nosniff"
        assert int(response.headers["content-length"]) == len(sent) < len(plain.content) / 2
        assert gzip.decompress(sent) == plain.content
    assert page.get(path, headers={"Accept-Encoding": "identity"}).content == plain.content


@pytest.mark.served
def test_page_has_a_title_and_a_sentence_before_its_scripts(page: httpx.Client) -> None:
    for path in ("/", "/?model=letters"):
        with page.stream("GET", path) as response:
            sent = b"".join(response.iter_raw())
        assert len(sent) < MAX_PAGE_BYTES
        text = gzip.decompress(sent).decode()
        assert "<h1>Image classifier</h1><p>The page is loading." in text
        assert response.headers["cache-control"] == "no-cache"
    korean = page.get("/?lang=ko").text
    assert '<html lang="ko">' in korean
    assert "<h1>그림 분류기</h1>" in korean
    assert "그림 분류기" in page.get("/", headers={"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.8"}).text
    assert "<h1>Image classifier</h1>" in page.get("/", headers={"Accept-Encoding": "identity"}).text


def test_loading_page_keeps_what_the_frontend_needs() -> None:
    index = INDEX_HTML.read_text(encoding="utf-8")
    changed = loading_page(index, "en")
    assert re.findall(r"<script.*?</script>", changed, re.DOTALL) == re.findall(r"<script.*?</script>", index, re.DOTALL)
    assert changed.count("modulepreload") == index.count("modulepreload")
    assert "Streamlit</title>" not in changed
    assert 'as="font"' not in changed
    assert changed.count('<div id="root"><main') == 1


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("lang=ko", "en", "ko"),
        ("lang=xx", "ko-KR", "ko"),
        ("", "fr, ko;q=0.5", "ko"),
        ("", "fr", "en"),
        ("", "", "en"),
        ("lang=%00<", "", "en"),
    ],
)
def test_language_of_a_request(query: str, accepted: str, language: str) -> None:
    headers = [(b"accept-language", accepted.encode())]
    assert requested_language({"type": "http", "query_string": query.encode(), "headers": headers}) == language
