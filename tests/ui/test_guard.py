"""What the page's own server refuses, asked of its real process. That the page asks nobody else, and so reports nothing to its
makers, every browser test sees to."""

from collections.abc import Iterator

import httpx
import pytest

from tests.browser.processes import start_page

pytestmark = pytest.mark.served


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a page; it needs no service for this."""
    with (
        start_page("http://127.0.0.1:9", tmp_path_factory.mktemp("page")) as address,
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        yield client


def test_pages_of_other_sites_upload_nothing(page: httpx.Client) -> None:
    page.get("/_stcore/health")
    token = page.cookies["_streamlit_xsrf"]
    for headers in ({}, {"X-Xsrftoken": "2|0|0|0"}):
        refused = page.put("/_stcore/upload_file/session/file", files={"file": b"x"}, headers=headers)
        assert (refused.status_code, refused.text) == (403, "XSRF token missing or invalid")
    known = page.put("/_stcore/upload_file/session/file", files={"file": b"x"}, headers={"X-Xsrftoken": token})
    assert "XSRF" not in known.text
