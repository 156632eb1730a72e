"""Mixes of requests: weights, forms of body, a seed, and labels that are learned."""

import json
from collections import Counter
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest
from gevent import socket

from loadtests.generator.client import ServiceClient
from loadtests.generator.mixes import FORMS, MIXED, Mix, MixError, RequestSource, learn_labels, parse_pictures, parse_weights
from loadtests.requests import Request
from tests.support.raw_service import Handle, raw_service

SEVEN = b'{"version":"1","label":"7"}'


def answering(status: int, body: bytes) -> Handle:
    """Answer every request alike."""

    def handle(connection: socket.socket) -> None:
        while connection.recv(1_000_000):
            connection.sendall(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)

    return handle


def test_weights_are_parsed() -> None:
    assert parse_weights("canvas:7, photo:0.5,small") == {"canvas": 7, "photo": 0.5, "small": 1}
    assert parse_weights("a:b:2") == {"a:b": 2}
    assert parse_pictures("mixed") == MIXED


@pytest.mark.parametrize("text", ["", "canvas:", "canvas:x", "canvas:0", "canvas:-1", "canvas:nan", "canvas:inf", "oil:1"])
def test_wrong_weights_are_an_error(text: str) -> None:
    with pytest.raises(MixError):
        parse_pictures(text)


def test_same_seed_has_the_same_requests_by_weight() -> None:
    source = RequestSource(Mix({"canvas": 8, "broken": 2}, {"digits": 3, "fashion": 1}))
    requests = list(islice(source.requests(3), 4000))
    assert requests == list(islice(source.requests(3), 4000)) != list(islice(source.requests(4), 4000))
    kinds = Counter(request.name.partition(",")[0] for request in requests)
    shares = {"canvas to digits": 0.6, "canvas to fashion": 0.2, "broken to digits": 0.15, "broken to fashion": 0.05}
    assert {name: count / 4000 for name, count in kinds.items()} == pytest.approx(shares, abs=0.03)
    forms = Counter(request.name.rpartition(" ")[2] for request in requests)
    assert {form: count / 4000 for form, count in forms.items()} == pytest.approx(dict.fromkeys(FORMS, 1 / 3), abs=0.03)
    assert all(request.good == request.name.startswith("canvas") for request in requests)


def test_batch_has_as_many_pictures_as_asked_for() -> None:
    request = next(RequestSource(Mix({"small": 1}, images=16)).requests(1))
    assert (request.target, request.body.count(b'name="images"')) == ("/classify/batch", 16)


def test_folder_of_pictures_takes_the_place_of_the_kinds(tmp_path: Path) -> None:
    with pytest.raises(MixError, match="contains no pictures"):
        RequestSource(Mix(folder=tmp_path))
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "one.JPG").write_bytes(b"picture")
    request = next(RequestSource(Mix(folder=tmp_path, forms=("body",))).requests(1))
    assert (request.body, request.content_type) == (b"picture", "image/jpeg")


def test_learned_labels_are_what_responses_must_have() -> None:
    with raw_service(answering(200, SEVEN)) as address, closing(ServiceClient(address, 1)) as client:
        source = RequestSource(Mix({"small": 1}))
        source.learn(client)
        assert {request.labels for request in islice(source.requests(1), 50)} == {(b'"version":"1","label":"7"',)}
        known = Request("known", labels=(b'"label":"3"',))
        assert learn_labels(client, known) == known


@pytest.mark.parametrize(("status", "body"), [(503, json.dumps({"detail": "no"}).encode()), (200, b"{}")])
def test_request_that_is_not_answered_as_it_must_be_is_named(status: int, body: bytes) -> None:
    failure = pytest.raises(MixError, match=f"^one was answered {status} before the load began")
    with raw_service(answering(status, body)) as address, closing(ServiceClient(address, 1)) as client, failure:
        learn_labels(client, Request("one"))
