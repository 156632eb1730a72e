"""Nothing that is asked of a real `bentoml serve` process is answered with a redirect, which would name the host that the
request named."""

from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest

from tests.support.problems import is_problem

pytestmark = pytest.mark.served

HOST = "evil.example"
ROUTES = (
    *("/classify", "/classify/batch", "/explain", "/models", "/models/reload"),
    *("/gallery", "/gallery/export", f"/gallery/{UUID(int=7)}", f"/gallery/{UUID(int=7)}/image"),
    *("/livez", "/readyz", "/healthz", "/metrics", "/schema.json", "/docs.json"),
)
SLASHED = (*(f"{route}/" for route in ROUTES), "/static_content", "/static_content/", "/gallery//")
FORWARDED = {"X-Forwarded-Host": HOST, "X-Forwarded-Proto": "https", "Forwarded": f"host={HOST}"}


@pytest.fixture(scope="module")
def client(service_address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service_address, timeout=30, headers={"Host": HOST, **FORWARDED}) as client:
        yield client


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS"])
def test_a_path_with_a_slash_too_many_is_not_there(client: httpx.Client, method: str) -> None:
    for path in SLASHED:
        answer = client.request(method, path)
        assert answer.status_code in (404, 405), (path, answer)
        assert HOST not in str(answer.headers) + answer.text, path
        if method == "GET":
            is_problem(answer, 404, "not_found")


def test_no_answer_repeats_the_host(client: httpx.Client) -> None:
    for path in ("/", *ROUTES):
        for method in ("GET", "HEAD", "OPTIONS"):
            answer = client.request(method, path)
            assert not answer.is_redirect
            assert HOST not in str(answer.headers), path
            if path != "/metrics":
                assert HOST not in answer.text, path
