"""The panel "Live": it asks for metrics only while it is open."""

from collections.abc import Callable

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.fake_service import FakeService, problem_response
from tests.ui.page_actions import html_of

pytestmark = pytest.mark.slow

LINE = 'bentoml_service_request_duration_seconds_bucket{{endpoint="/classify",le="{bound}"}} {count}\n'


def metrics_response(count: int) -> httpx.Response:
    """Return metrics after a number of requests."""
    return httpx.Response(200, text="".join(LINE.format(bound=bound, count=count) for bound in ("0.005", "+Inf")))


def open_panel(page: AppTest) -> None:
    """Open the panel and run the page twice: rates need two scrapes."""
    page.session_state["monitor"] = True
    page.run()
    page.run()


def test_metrics_are_asked_for_while_the_panel_is_open(page: AppTest, service: FakeService) -> None:
    counts = iter(range(0, 1000, 100))
    service.replies["/metrics"] = lambda _: metrics_response(next(counts))
    page.run()
    assert not service.requests_to("/metrics")
    open_panel(page)
    assert not page.exception
    assert len(service.requests_to("/metrics")) == 2
    assert "≤ 5 ms" in html_of(page)
    assert 'class="course"' in html_of(page)
    page.session_state["monitor"] = False
    page.run()
    assert len(service.requests_to("/metrics")) == 2


@pytest.mark.parametrize("status", [401, 403, 404])
def test_service_that_does_not_show_its_metrics(page: AppTest, service: FakeService, status: int) -> None:
    service.replies["/metrics"] = lambda _: problem_response(status, "forbidden")
    open_panel(page)
    assert not page.exception
    assert "The service does not show its figures to this page." in html_of(page)


def test_service_that_does_not_answer(service: FakeService, start: Callable[[], AppTest]) -> None:
    service.down = True
    page = start()
    open_panel(page)
    assert not page.exception
    assert html_of(page).count("does not answer: no connection") == 2  # where the answer would be, and in the panel
