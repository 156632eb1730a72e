"""Steady load on one address from a thread of its own: requests at fixed times, whatever became of those before."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType

import httpx

TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class Sent:
    """A request: the moment it was due and the moment it was answered or failed, of one clock, and its failure or ""."""

    due: float
    ended: float
    failure: str


class SteadyLoad:
    """Posts an image ``per_second`` times a second while the block runs; each answer must have status 200 and the label.

    Every other request has a connection of its own; the rest share kept connections, as the clients of a service do.
    """

    def __init__(self, address: str, image: bytes, label: str, per_second: float, headers: Mapping[str, str]) -> None:
        self._url = f"{address}/classify"
        self._image, self._label, self._headers = image, label, dict(headers)
        self._interval = 1 / per_second
        self._end = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self.sent: list[Sent] = []

    def __enter__(self) -> "SteadyLoad":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end.set()
        self._thread.join()

    def since(self, moment: float) -> list[Sent]:
        """The requests that were due at or after a moment of ``time.monotonic``, and are over."""
        return [one for one in list(self.sent) if one.due >= moment]

    async def _run(self) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=8)
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, limits=limits, headers=self._headers) as client:
            due, requests = time.monotonic(), set()
            while not self._end.is_set():
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                close = {"Connection": "close"} if len(self.sent) % 2 else {}
                request = asyncio.create_task(self._send(client, due, close))
                requests.add(request)
                request.add_done_callback(requests.discard)
                due += self._interval
            await asyncio.gather(*requests)

    async def _send(self, client: httpx.AsyncClient, due: float, headers: Mapping[str, str]) -> None:
        try:
            response = await client.post(self._url, content=self._image, headers=headers)
            failure = "" if response.status_code == 200 else f"status {response.status_code}"
            if not failure and response.json()["label"] != self._label:
                failure = f"label {response.json()['label']}"
        except httpx.HTTPError as error:
            failure = type(error).__name__
        self.sent.append(Sent(due, time.monotonic(), failure))


def summary(sent: list[Sent]) -> str:
    """Requests, failures by cause, and the median and longest time of a set of requests."""
    times = sorted(one.ended - one.due for one in sent)
    failures = Counter(one.failure for one in sent if one.failure)
    causes = ", ".join(f"{count} {cause}" for cause, count in failures.items()) or "none"
    return f"{len(sent)} requests, failures: {causes}, median {times[len(times) // 2] * 1000:.0f} ms, longest {times[-1]:.2f} s"
