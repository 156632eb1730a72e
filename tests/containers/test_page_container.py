"""The page in a container: hardened, healthy, and ended by SIGTERM."""

from collections.abc import Iterator

import httpx
import pytest

from tests.containers.conftest import Images
from tests.containers.engine import HARDENED, Container, docker, running_container
from tests.support.waiting import until

pytestmark = [pytest.mark.containers, pytest.mark.slow]


@pytest.fixture(scope="module")
def page(images: Images) -> Iterator[Container]:
    """A hardened container of the page."""
    options = (*HARDENED, "--health-interval=1s")
    with running_container(images.page, *options, port=8501, ready="/_stcore/health") as container:
        yield container


def test_page_and_its_scripts_are_served(page: Container) -> None:
    assert "<script" in httpx.get(page.address, timeout=30).text
    until(lambda: page.state["Health"]["Status"] == "healthy", 60)


def test_process_has_neither_root_nor_capabilities(page: Container) -> None:
    status = dict(
        line.split(":\t", 1) for line in page.python("print(open('/proc/1/status').read())").splitlines() if ":\t" in line
    )
    assert set(status["Uid"].split()) == {"1034"}
    assert status["CapBnd"] == "0000000000000000"
    assert page.python("import os; print([p for p in ('/', '/app', '/app/ui') if os.access(p, os.W_OK)])") == "[]"


def test_docker_stop_ends_with_0(page: Container) -> None:
    docker("stop", "--time=30", page.identity)
    assert page.state["ExitCode"] == 0, page.log
