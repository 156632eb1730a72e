"""The id of a request, and that of a batch of several."""

import pytest

from serving.process.request_context import MAX_JOINED, RequestContext, joined, new_request_id, request_id_of


@pytest.mark.parametrize("given", [b"a", b"7f3c.A_b:c=d/e+f-g", b"x" * 128])
def test_a_well_formed_id_is_taken(given: bytes) -> None:
    assert request_id_of([(b"host", b"h"), (b"x-request-id", given)]) == given.decode()


def test_new_ids_are_short_and_differ() -> None:
    made = {new_request_id() for _ in range(1000)}
    assert len(made) == 1000
    assert {len(one) for one in made} == {16}


def test_a_batch_of_one_request_has_its_context() -> None:
    request = RequestContext("a")
    assert joined([request] * 5) is request


def test_a_batch_of_several_requests_has_their_ids_in_order_up_to_a_limit() -> None:
    a, b = RequestContext("a"), RequestContext("b")
    assert joined([b, a, b]).request_id == "b,a"
    many = [RequestContext(str(number)) for number in range(MAX_JOINED + 1)]
    assert joined(many[:-1]).request_id == ",".join(map(str, range(MAX_JOINED)))
    assert joined(many).request_id == ",".join(map(str, range(MAX_JOINED))) + ",..."
