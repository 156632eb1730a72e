"""Bodies that stop arriving: they hold no more memory than the budget, keep no drawing out, and leave nothing behind."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from loadtests.samples import samples
from tests.support.processes import free_port, processes_of, start_service
from tests.support.stalled import stalled
from tests.support.waiting import until

pytestmark = pytest.mark.served

MEGABYTE = 1 << 20
BUDGET = 48 * MEGABYTE
CONNECTIONS = 200
SENT = 7 * MEGABYTE
# What the workers' libraries hold of connections while pieces of their bodies pass through, beside the budget.
PASSING = 100 * MEGABYTE
SAMPLE = samples()[0]
FORM = b"Content-Type: multipart/form-data; boundary=edge\r\n"
ANNOUNCED = b"Content-Length: %d\r\n\r\n" % (8 * MEGABYTE)
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n800000\r\n"
ATTACKS = {
    "batches": b"POST /classify/batch HTTP/1.1\r\nHost: here\r\n" + FORM + ANNOUNCED,
    "batches without a length": b"POST /classify/batch HTTP/1.1\r\nHost: here\r\n" + FORM + CHUNKED,
    "photos": b"POST /classify HTTP/1.1\r\nHost: here\r\n" + ANNOUNCED,
    "texts": b"POST /explain HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n" + ANNOUNCED,
    "the gallery": b"POST /gallery HTTP/1.1\r\nHost: here\r\n" + ANNOUNCED,
    "corrections": b"PATCH /gallery/00000000-0000-0000-0000-000000000000 HTTP/1.1\r\nHost: here\r\n" + ANNOUNCED,
}  # fmt: skip


@pytest.fixture(scope="module")
def address(model_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service with a small budget, and time enough to see what stalls."""
    gallery = tmp_path_factory.mktemp("gallery") / "kept.db"
    settings = {"MAX_BODY_BYTES_IN_FLIGHT": str(BUDGET), "BODY_SECONDS": "60", "GALLERY_URL": f"sqlite:///{gallery}"}
    with start_service(model_store, free_port(), **settings) as address:
        for _ in range(64):
            httpx.post(f"{address}/classify", content=SAMPLE.data)
        yield address


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def memory(processes: list[psutil.Process]) -> int:
    """Bytes that the processes of a service have for themselves."""
    return sum(process.memory_full_info().uss for process in processes)


class Drawings:
    """Asks for drawings one after the other until it is closed."""

    def __init__(self, address: str) -> None:
        self.statuses: list[int] = []
        self._address = address
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def close(self) -> list[int]:
        """What they were answered."""
        self._done.set()
        self._thread.join()
        return self.statuses

    def _ask(self) -> None:
        with httpx.Client(base_url=self._address, timeout=30) as client:
            while not self._done.is_set():
                self.statuses.append(client.post("/classify", content=SAMPLE.data).status_code)


@pytest.mark.parametrize("attack", list(ATTACKS))
def test_stalled_bodies_hold_the_budget_and_no_drawing_up(address: str, attack: str) -> None:
    processes = processes_of(address)
    before = memory(processes)
    with stalled(port_of(address), ATTACKS[attack], SENT, CONNECTIONS) as crowd:
        drawings = Drawings(address)
        sampled = [before]

        def done() -> bool:
            sampled.append(memory(processes))
            return crowd.settled and len(drawings.statuses) >= 40

        try:
            until(done, 120)
        finally:
            statuses = drawings.close()
        assert crowd.refused > CONNECTIONS // 2
    assert set(statuses) == {200}
    assert max(sampled) - before < BUDGET + PASSING
    until(lambda: memory(processes) - before < PASSING // 2, 60)
    form = [("images", ("f", SAMPLE.data))] * 2 + [("note", ("", bytes(MEGABYTE)))]
    until(lambda: httpx.post(f"{address}/classify/batch", files=form, timeout=30).status_code == 200)


def test_client_refused_while_sending_receives_the_response(address: str) -> None:
    body = bytes(12 * MEGABYTE)
    with stalled(port_of(address), ATTACKS["photos"], SENT, 8) as crowd:
        until(lambda: crowd.settled)
        for content in (body[: 9 * MEGABYTE], iter([body[:MEGABYTE]] * 9)):
            refused = httpx.post(f"{address}/classify", content=content, timeout=30)
            assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (429, "overloaded", "1")
            assert refused.headers["connection"] == "close"
        refused = httpx.post(f"{address}/classify", content=body, headers={"Content-Type": "image/jpeg"}, timeout=30)
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
        assert "12,582,912 bytes; at most 10,485,760" in refused.json()["detail"]
