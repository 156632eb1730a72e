"""Two minutes of good and bad requests to a service; and that each promise can be broken."""

import asyncio
import json
import re
import socket
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import uvloop

from loadtests.bench.contestants import CONTESTANTS, ROOT, serving
from loadtests.lines import BROKEN, Answer, is_problem, wire
from loadtests.soak.__main__ import soak
from loadtests.soak.sender import Sender, Tally
from loadtests.soak.traffic import Manner, Traffic, Visit, readings
from loadtests.soak.verdict import Row, Verdict
from loadtests.vitals import Vitals, look

MINUTES = 2.0
# Of what the service took when it was measured: other tests may begin beside this one.
SHARE = 0.2
# A machine that does other things for a moment makes requests wait here and not fail; overload is tested elsewhere.
PATIENT = {"MAX_IN_FLIGHT": "4096", "MAX_QUEUE": "4096", "DEADLINE_SECONDS": "60"}
# In two minutes memory has not been everywhere yet; what every request leaves behind would be more.
MOST_GROWTH = 0.1
NAMED = re.compile(r"`(tests/[\w/]+\.py)?(?:::(\w+))?`")
PROBLEM = b"HTTP/1.1 422 x\r\ncontent-type: application/problem+json\r\n\r\n" + b'{"status": 422, "code": "undecodable"}'
GOOD = Visit("good", b"", frozenset((200,)), said=(b'"version":"1","label":"7"',))
BAD = Visit("bad", b"", frozenset((200, 422)), good=False)


def row(minute: int, **changes: float) -> Row:
    """A minute in which all went well but for the changes."""
    tally = Tally(took=60.0, good_seconds=[0.01] * 100, refused_seconds=[0.01] * 20, statuses=Counter({200: 100, 422: 20}))
    figures = {"private_mb": 400.0, "descriptors": 90, "threads": 20, "connections": 10} | changes
    processes = frozenset((1, 2, int(changes.get("worker", 3))))
    descriptors, threads = int(figures["descriptors"]), int(figures["threads"])
    vitals = Vitals(figures["private_mb"], 800.0, descriptors, threads, processes)
    return Row(float(minute), tally, vitals, int(figures["connections"]))


def verdict(change: Callable[[int], dict[str, float]] = lambda _minute: {}) -> Verdict:
    """Thirty minutes, of which the first five do not count."""
    return Verdict([row(minute, **change(minute)) for minute in range(1, 31)], 5.0, 800.0, 400.0)


def broken(found: Verdict) -> list[str]:
    """The promises that were not kept, by their first word."""
    assert found.stands == (not [promise for promise in found.promises() if not promise.kept])
    return [promise.what.split()[0] for promise in found.promises() if not promise.kept]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda _: {}, []),
        (lambda minute: {"private_mb": 300.0 + min(minute, 5) * 20}, []),  # what is taken at the beginning stays
        (lambda minute: {"private_mb": 480.0 if minute == 17 else 400.0}, []),  # one large picture
        (lambda minute: {"private_mb": 400.0 + 1.1 * minute}, ["memory"]),  # little by little
        (lambda minute: {"private_mb": 400.0 + 30 * (minute > 20)}, ["memory"]),
        (lambda minute: {"descriptors": 90 + 50 * (minute % 2), "connections": 10 + 50 * (minute % 2)}, []),
        (lambda minute: {"descriptors": 90 + 2 * minute}, ["descriptors"]),
        (lambda minute: {"threads": 20 + minute}, ["threads"]),
        (lambda minute: {"worker": 3 + (minute > 12)}, ["processes"]),
    ],
)
def test_leaks_and_losses_are_found(change: Callable[[int], dict[str, float]], named: list[str]) -> None:
    assert broken(verdict(change)) == named


@pytest.mark.parametrize(
    ("visit", "answer", "named"),
    [
        (GOOD, Answer(200, 0.01, b'{"model":"digits","version":"1","label":"7"}'), []),
        (GOOD, Answer(200, 0.01, b'{"model":"digits","version":"1","label":"1"}'), ["good"]),
        (GOOD, Answer(429, 0.01, b""), ["good"]),
        (GOOD, Answer(0, 0.01, b""), ["good"]),
        (GOOD, Answer(500, 0.01, b""), ["good", "5xx"]),
        (BAD, Answer(422, 0.01, PROBLEM), []),
        (BAD, Answer(200, 0.01, b"{}"), []),
        (BAD, Answer(422, 0.01, b"HTTP/1.1 422 x\r\ncontent-type: text/plain\r\n\r\nno"), ["bad"]),
        (BAD, Answer(504, 0.01, PROBLEM), ["5xx", "bad"]),
        (BAD, Answer(0, 0.01, b""), ["bad"]),
    ],
)
def test_answers_are_judged(visit: Visit, answer: Answer, named: list[str]) -> None:
    found = verdict()
    found.rows[20].tally.add(visit, answer)
    assert broken(found) == named


def test_what_was_not_sent_is_told() -> None:
    found = verdict()
    assert found.pace().endswith("all in time")
    found.rows[3].tally.missed = 1200
    assert "did not keep the pace: 1,200 more" in found.pace()


def test_the_log_and_the_tables_hold_every_figure() -> None:
    found = verdict()
    document = json.loads(json.dumps(found.rows[0].document()))
    assert (document["private_mb"], document["descriptors"], document["good_ms"]) == (400.0, 80, [10.0, 10.0])
    tables = found.markdown()
    assert "| good requests that failed | 0 | 0 of 3,000 | yes |" in tables
    assert "| 30.0 | 2 | 10.0, 10.0 | 10.0, 10.0 | 400 | 80 | 20 |" in tables


def test_a_refusal_that_asks_to_wait_says_how_long() -> None:
    late = PROBLEM.replace(b"422", b"429")
    assert not is_problem(late)
    assert is_problem(late.replace(b"\r\n\r\n", b"\r\nRetry-After: 1\r\n\r\n"))


def test_a_service_that_hangs_up_on_who_dribbles_is_a_broken_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtests.soak.sender.DRIBBLE_SECONDS", 0.0005)
    slow = Visit("slow", b"x", frozenset((408,)), good=False, manner=Manner.SLOW)

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reset = struct.pack("ii", 1, 0)  # linger for no time: what is sent after the end is answered with a reset
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        await asyncio.sleep(0.002)
        writer.transport.abort()

    async def visits(count: int) -> Counter[int]:
        async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as service:
            sender = Sender(f"http://127.0.0.1:{service.sockets[0].getsockname()[1]}", lambda _visit, _content: None)
            for _ in range(count):
                await sender.make(slow)
        return sender.tally.statuses

    assert uvloop.run(visits(20)) == {BROKEN: 20}


def test_the_mix_is_the_same_for_the_same_seed_and_holds_every_kind() -> None:
    good = [replace(visit, said=()) for visit in readings("here", ["digits", "fashion"])]
    first, again = (list(islice(Traffic("here", good, 3, 200).visits(), 4000)) for _ in range(2))
    assert first == again
    assert {visit.manner for visit in first} == set(Manner)
    assert {"batch", "explain", "keep", "list", "models", "metrics", "livez", "bad", "slow", "too large"} <= {
        visit.name for visit in first
    }
    assert 0.15 < sum(not visit.good for visit in first) / len(first) < 0.25
    assert not any(visit.manner is Manner.SLOW for visit in islice(Traffic("here", good, 3, 200).visits(slow=False), 4000))


def test_what_was_kept_is_deleted_again() -> None:
    traffic = Traffic("here", [GOOD], 1, 10)
    kept: set[bytes] = set()
    for number, visit in enumerate(islice(traffic.visits(), 20_000)):
        entry = b"/gallery/%08x" % number
        if visit.name == "keep":
            traffic.learn(visit, b"HTTP/1.1 201 Created\r\nLocation: " + entry + b"\r\n\r\n{}")
            kept.add(entry)
        elif visit.name == "delete":
            kept.remove(visit.wire.split()[1])
    assert 0 < len(kept) <= 100


def test_a_request_may_announce_more_than_it_has() -> None:
    assert wire("here", "POST", "/classify", b"x", "image/png", announced=9).split(b"\r\n") == [
        *(b"POST /classify HTTP/1.1", b"Host: here", b"Content-Type: image/png", b"Content-Length: 9", b"", b"x")
    ]


def test_every_promise_in_the_document_names_tests_that_there_are() -> None:
    named = 0
    for line in (ROOT / "docs/reliability.md").read_text(encoding="utf-8").splitlines():
        file = ""
        for path, test in NAMED.findall(line) if line.startswith("|") else ():
            file = path or file
            assert (ROOT / file).is_file(), line
            assert not test or f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), line
            named += 1
    assert named > 25


@pytest.mark.served
def test_a_service_stands_it(model_store: Path, tmp_path: Path) -> None:
    contestant = CONTESTANTS["embedded"]
    gallery = {"GALLERY_URL": f"sqlite:///{tmp_path}/kept.db"}
    with serving(replace(contestant, environment=contestant.environment | PATIENT | gallery), model_store) as server:
        found = uvloop.run(soak(server, MINUTES, tmp_path / "soak.jsonl", SHARE))
        assert len(look(server.process).processes) >= 3
    found = replace(found, most_growth=MOST_GROWTH)
    assert found.stands, found.markdown() + "\n" + (tmp_path / "soak.jsonl").read_text()
    assert sum(found.rows[-1].tally.statuses.values()) > 0
    assert len((tmp_path / "soak.jsonl").read_text().splitlines()) == 1 + len(found.rows) + len(found.promises())
