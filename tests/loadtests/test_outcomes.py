"""What came of a request."""

import pytest

from loadtests.generator.outcomes import Outcome, judge
from loadtests.requests import BROKEN, DROPPED, HUNG_UP, Request, Response
from tests.loadtests.responses import problem

GOOD = Request("good", labels=(b'"label":"7"',))
BROKEN_PICTURE = Request("broken", statuses=frozenset((415, 422)), good=False)
RETRY = {b"retry-after": b"1"}
SEVEN, ONE = (Response(200, 0.1, b'{"version":"1","label":"%d"}' % label) for label in (7, 1))


@pytest.mark.parametrize(
    ("request_", "response", "outcome", "fault"),
    [
        (GOOD, SEVEN, Outcome.CORRECT, ""),
        (GOOD, ONE, Outcome.WRONG, "wrong label"),
        (GOOD, Response(200, 0.1, b"{}"), Outcome.WRONG, "wrong label"),
        (GOOD, problem(422), Outcome.ERROR, "422"),
        (GOOD, problem(500), Outcome.ERROR, "500"),
        (GOOD, problem(429, RETRY), Outcome.REFUSED, "refused with 429"),
        (GOOD, problem(503, RETRY), Outcome.REFUSED, "refused with 503"),
        (GOOD, problem(429), Outcome.ERROR, "429"),
        (GOOD, Response(503, 0.1, b"no backend"), Outcome.ERROR, "503"),
        (GOOD, Response(BROKEN), Outcome.ERROR, "no response"),
        (GOOD, Response(DROPPED), Outcome.DROPPED, "dropped"),
        (GOOD, Response(HUNG_UP), Outcome.ABANDONED, ""),
        (BROKEN_PICTURE, problem(422), Outcome.CORRECT, ""),
        (BROKEN_PICTURE, Response(422, 0.1, b"{}"), Outcome.WRONG, "422 without a problem document or Retry-After"),
        (BROKEN_PICTURE, SEVEN, Outcome.ERROR, "200"),
        (BROKEN_PICTURE, problem(429, RETRY), Outcome.REFUSED, "refused with 429"),
    ],
)
def test_outcome_of_a_response(request_: Request, response: Response, outcome: Outcome, fault: str) -> None:
    assert judge(request_, response) == (outcome, fault)
