"""Requests of load tests: their encoding, and what is wrong with responses."""

import pytest

from loadtests.requests import BROKEN, Request, Response, find_fault, is_problem
from tests.loadtests.responses import problem

GOOD = Request("good", labels=(b'"label":"7"',))
OVERLOAD = Request("overload", statuses=frozenset((200, 429)), labels=(b'"label":"7"',))
BAD = Request("bad", statuses=frozenset((200, 422, 429, 503)), good=False)


def test_request_may_announce_another_length_than_it_has() -> None:
    assert Request("x", "/classify", b"x", "image/png", content_length=9).encode("here", {"A": "b"}, "/v1").split(b"\r\n") == [
        *(b"POST /v1/classify HTTP/1.1", b"Host: here", b"A: b", b"Content-Type: image/png", b"Content-Length: 9", b"", b"x")
    ]


@pytest.mark.parametrize(
    ("request_", "response", "fault"),
    [
        (BAD, problem(422), ""),
        (BAD, Response(422, 0.1, b"{}"), "422 without a problem document or Retry-After"),
        (BAD, problem(500), "500"),
        (BAD, problem(504), "504"),
        (BAD, problem(503), "503 without a problem document or Retry-After"),
        (BAD, problem(503, {b"retry-after": b"soon"}), "503 without a problem document or Retry-After"),
        (BAD, problem(503, {b"retry-after": b"1"}), ""),
        (BAD, problem(429), "429 without a problem document or Retry-After"),
        (BAD, Response(BROKEN), "no response"),
        (GOOD, problem(422), "422"),
        (OVERLOAD, problem(429, {b"retry-after": b"1"}), ""),
        (OVERLOAD, problem(429), "429 without a problem document or Retry-After"),
        (OVERLOAD, Response(200, 0.1, b'{"version":"1","label":"1"}'), "wrong label"),
        (GOOD, Response(200, 0.1, b'{"version":"1","label":"7","top":[{"label":"1"}]}'), ""),
        (GOOD, Response(200, 0.1, b'{"version":"1","label":"1","top":[{"label":"7"}]}'), "wrong label"),
        (GOOD, Response(200, 0.1, b'[{"version":"1","label":"7"},{"version":"1","label":"7"}]'), "wrong label"),
    ],
)
def test_faults_of_responses_are_found(request_: Request, response: Response, fault: str) -> None:
    assert find_fault(request_, response) == fault


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]", b'{"status": 422}'])
def test_problem_document_without_status_or_code_is_none(body: bytes) -> None:
    assert not is_problem(problem(422, body=body))
