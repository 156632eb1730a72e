"""What came of a request: a correct response, a refusal, a failure, or nothing because it was not sent."""

from enum import Enum
from typing import Final

from loadtests.requests import BROKEN, DROPPED, HUNG_UP, Request, Response, find_fault, is_problem

# The service says that it is overloaded or draining, and when to try again.
REFUSALS: Final = frozenset((429, 503))


class Outcome(Enum):
    """Outcomes of requests, as they are counted."""

    CORRECT = "correct"
    WRONG = "wrong"
    ERROR = "error"
    REFUSED = "refused"
    DROPPED = "dropped"
    ABANDONED = "abandoned"


def judge(request: Request, response: Response) -> tuple[Outcome, str]:
    """The outcome of a request, and what is wrong with the response; an empty text if nothing is.

    CORRECT is the wanted status with the wanted labels; of a broken picture that is a refusal with a problem document. WRONG is
    another label or a response in another form, ERROR another status or none, REFUSED a 429 or 503 with a Retry-After, DROPPED
    a request that was not sent, ABANDONED one whose response was not to be waited for.
    """
    if response.status == DROPPED:
        return Outcome.DROPPED, "dropped"
    if response.status == HUNG_UP:
        return Outcome.ABANDONED, ""
    fault = find_fault(request, response)
    if not fault:
        return Outcome.CORRECT, ""
    if response.status in REFUSALS and is_problem(response):
        return Outcome.REFUSED, f"refused with {response.status}"
    if response.status == BROKEN or response.status not in request.statuses:
        return Outcome.ERROR, fault
    return Outcome.WRONG, fault
