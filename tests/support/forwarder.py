"""A loopback port that forwards connections to another, as a Service of Kubernetes does: each as a whole, to whatever is ready
when it is opened."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Forwarder:
    """Forwards new connections to ``target``, a port; those that are open stay where they are. Without one it refuses."""

    def __init__(self) -> None:
        self.target: int | None = None
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._listening = threading.Event()
        self._stop = asyncio.Event()

    def run(self) -> None:
        """Forward until ``stop``; runs in a thread of its own."""
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    def stop(self) -> None:
        """Close the port and all connections."""
        self._loop.call_soon_threadsafe(self._stop.set)

    def wait(self) -> None:
        """Return once the port is open."""
        assert self._listening.wait(10)

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._forward, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._stop.wait()
        server.close()
        others = asyncio.all_tasks() - {task for task in (asyncio.current_task(),) if task}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = [writer]
        try:
            if self.target is not None:
                answers, requests = await asyncio.open_connection("127.0.0.1", self.target)
                writers.append(requests)
                await asyncio.gather(_copy(reader, requests), _copy(answers, writer))
        except OSError:
            pass  # nothing listens at the target: the caller's connection is closed
        finally:
            for each in writers:
                each.close()
            for each in writers:
                with suppress(OSError):
                    await each.wait_closed()


async def _copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    """Copy until one side has closed, then close the other."""
    with suppress(OSError):
        while data := await source.read(65_536):
            to.write(data)
            await to.drain()
    to.close()


@contextmanager
def forwarding() -> Iterator[Forwarder]:
    """A forwarder until the block ends."""
    forwarder = Forwarder()
    thread = threading.Thread(target=forwarder.run)
    thread.start()
    try:
        forwarder.wait()
        yield forwarder
    finally:
        forwarder.stop()
        thread.join()
