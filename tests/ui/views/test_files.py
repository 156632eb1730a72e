"""The results for many files, shown by Streamlit without a browser."""

import re
from collections.abc import Sequence
from functools import partial

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from tests.support.pictures import WHITE, canvas, encoded
from tests.ui.fake_service import PNG, FakeService, batch_response, classification, problem_response
from tests.ui.file_helpers import batch_sizes, make_files
from tests.ui.page_actions import html_of, owned
from ui.api import client as client_module
from ui.components import file_limit
from ui.state.files import MAX_FILES_PER_REQUEST, PictureFile


def script() -> None:
    """A page with an uploader and the results only."""
    import streamlit as st

    from ui.api import client as client_module
    from ui.api.schemas import Model, ServiceLimits
    from ui.state.files import BatchClassifier, PictureFile
    from ui.state.session import Session
    from ui.views import files

    if "client" not in st.session_state:
        st.session_state["client"] = client_module.Client("http://127.0.0.1:3999")
    uploads = st.file_uploader("Files", accept_multiple_files=True, key="uploads")
    if uploads:
        classifier = BatchClassifier(st.session_state["client"], Model(name="digits", version="1.0.0"))
        files.show(classifier, [PictureFile.from_upload(ServiceLimits(), each) for each in uploads], Session.current())


@pytest.fixture
def page(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr(client_module, "Client", partial(client_module.Client, transport=httpx.MockTransport(service)))
    return AppTest.from_function(script, default_timeout=30).run()


def upload(page: AppTest, files: Sequence[PictureFile]) -> None:
    send(page, *((file.name, file.data, "image/png") for file in files))


def send(page: AppTest, *files: tuple[str, bytes, str]) -> None:
    page.file_uploader(key="uploads").set_value(list(files)).run()
    assert not page.exception


def names_in_order(page: AppTest) -> list[str]:
    return re.findall(r'<td class="file">([^<]*)', html_of(page))


def test_all_files_are_listed_with_label_or_error(page: AppTest, service: FakeService) -> None:
    upload(page, [*make_files(11), PictureFile.from_bytes("broken.png", b"no picture")])
    assert "11 of 12 files classified. 1 failed: broken.png<" in html_of(page)
    assert html_of(page).count('data-label="7"') == 11
    assert "This file is not a picture the service can read" in html_of(page)
    assert page.get("download_button")[0].proto.label == "Download CSV"
    assert not page.error
    page.run()
    assert batch_sizes(service) == [12]


def test_retry_classifies_the_remaining_files(page: AppTest, service: FakeService) -> None:
    unauthorized = problem_response(401, "unauthorized", "Unauthorized", "The key is wrong.")
    service.replies["/classify/batch"] = lambda request: batch_response(request) if len(service.requests) == 1 else unauthorized
    upload(page, make_files(MAX_FILES_PER_REQUEST + 4))
    assert "16 of 20 files classified.<" in html_of(page)
    assert page.error[0].value.endswith("classify the remaining files: 4.")
    assert "This page is not allowed to use the service: The key is wrong." in html_of(page)
    assert html_of(page).count("not classified yet") == 4
    service.replies["/classify/batch"] = batch_response
    page.button(key="retry-files").click().run()
    assert "20 of 20 files classified.<" in html_of(page)
    assert not page.error
    assert batch_sizes(service) == [16, 4, 4]


def test_empty_picture_is_listed_with_its_error(page: AppTest, service: FakeService) -> None:
    no_ink = {"type": "about:blank", "title": "", "status": 422, "detail": "", "code": "no_ink"}
    service.replies["/classify/batch"] = lambda _: httpx.Response(200, json=[no_ink, classification()])
    paper = encoded(canvas([], paper=WHITE))
    upload(page, [PictureFile.from_bytes("paper.png", paper), PictureFile.from_bytes("seven.png", PNG)])
    assert "There is nothing to read in this picture" in html_of(page)
    assert "1 of 2 files classified. 1 failed: paper.png<" in html_of(page)


def test_summary_names_at_most_five_failed_files(page: AppTest) -> None:
    upload(page, [PictureFile.from_bytes(f"{number}<b>.png", b"no picture" * (number + 1)) for number in range(7)])
    assert "7 failed: 0&lt;b&gt;.png, 1&lt;b&gt;.png" in html_of(page)
    assert "4&lt;b&gt;.png, …<" in html_of(page)


def test_files_that_the_page_refuses_are_listed_with_their_reason(page: AppTest, service: FakeService) -> None:
    too_large = ("holiday.tif", b"", f"application/x-too-large; size={40 * 2**20 + 1}")
    send(page, ("seven.png", PNG, "image/png"), too_large, ("nothing.png", b"", "image/png"), ("x.heic", b"heic", "image/heic"))
    assert "1 of 4 files classified. 3 failed: holiday.tif, nothing.png, x.heic<" in html_of(page)
    limit = file_limit.max_file_megabytes()
    assert f"The file is too large: it has 40.1 MB, and the page takes up to {limit} MB." in html_of(page)
    assert "The file is empty." in html_of(page)
    assert batch_sizes(service) == [2]  # only the picture and the file of an unknown format are sent
    assert not page.error
    assert "retry-files" not in [button.key for button in page.button]


def test_request_that_would_fail_again_has_no_retry(page: AppTest, service: FakeService) -> None:
    service.replies["/classify/batch"] = lambda _: problem_response(400, "bad_request", "Bad request", "No image.")
    upload(page, make_files(2))
    assert page.error[0].value == "The service does not accept these files: 2."
    assert "retry-files" not in [button.key for button in page.button]


def test_files_are_ordered(page: AppTest, service: FakeService) -> None:
    answers = [classification(), classification(confidence=0.5), classification(rejected=True)]
    service.replies["/classify/batch"] = lambda _: httpx.Response(200, json=answers)
    upload(page, [PictureFile.from_bytes(f"{name}.png", PNG + name.encode()) for name in "bca"])
    assert names_in_order(page) == ["a.png", "c.png", "b.png"]
    owned(page.selectbox, "files-order").select("as_sent").run()
    assert names_in_order(page) == ["b.png", "c.png", "a.png"]
    owned(page.selectbox, "files-order").select("by_name").run()
    assert names_in_order(page) == ["a.png", "b.png", "c.png"]
    assert len(service.requests) == 1


def test_counts_and_times_are_shown(page: AppTest) -> None:
    upload(page, [*make_files(3), PictureFile.from_bytes("broken.png", b"no picture")])
    assert "<b>7</b> <span>3</span>" in html_of(page)
    assert "<b>not read</b> <span>1</span>" in html_of(page)
    assert "(4 in all, requests: 1)" in html_of(page)
    assert "pictures computed at once: 4" in html_of(page)
