"""Shutting down on SIGTERM, whatever handled it before."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from serving.bento import server as bento_server
from serving.bento.http_protocol import LimitedProtocol
from serving.bento.server import on_sigterm, record_server
from serving.inference import runner_service
from serving.inference.runner_service import RunnerHost
from serving.process import shutdown
from serving.process.shutdown import Shutdown
from serving.settings import Settings
from tests.support.waiting import until_in_loop

DRAIN_SECONDS = 0.2
SECONDS = 20.0


def keep(_handler: object) -> None:
    """Leave uvicorn's handler where it is."""


def replace_by_function(_handler: object) -> None:
    """A handler that is no method of uvicorn's server."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)


def replace_by_default(_handler: object) -> None:
    """No handler at all."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def replace_by_loop(_handler: object) -> None:
    """The event loop's own way, behind which ``signal.getsignal`` sees nothing."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: None)


HANDLERS = [keep, replace_by_function, replace_by_default, replace_by_loop]


@pytest.fixture(autouse=True)
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """uvicorn's server is recorded, and signals are as before in the end."""
    monkeypatch.setattr(uvicorn.Server, "startup", uvicorn.Server.startup)
    monkeypatch.setattr(bento_server, "_running", [])
    monkeypatch.setattr(shutdown, "LAST_READ_SECONDS", 0.05)
    record_server()
    # uvicorn raises a signal it took again in the end, for whoever started it.
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    yield
    signal.signal(signal.SIGTERM, before)


class App:
    """Calls ``listen`` at its start, once the handler was replaced, and answers every request when ``ready``."""

    def __init__(self, replace: Callable[[object], None], listen: Callable[[], None]) -> None:
        self.replace = replace
        self.listen = listen
        self.asked = 0
        self.ready = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            self.replace(signal.getsignal(signal.SIGTERM))
            self.listen()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        self.asked += 1
        await self.ready.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


async def started(app: App) -> tuple[asyncio.Task[None], int]:
    """A server with the app, which ends with its task, and its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=LimitedProtocol, lifespan="on", log_config=None))
    task = asyncio.create_task(server.serve([listener]))
    await until_in_loop(lambda: server.started or task.done())
    return task, int(listener.getsockname()[1])


def refuses(port: int) -> bool:
    """Whether no new connection is accepted."""
    with closing(socket.socket()) as connection:
        return connection.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("replace", HANDLERS)
def test_sigterm_drains_whatever_handled_it_before(replace: Callable[[object], None]) -> None:
    async def scenario() -> None:
        given_up: list[bool] = []
        ending = Shutdown(DRAIN_SECONDS, lambda: given_up.append(True))
        app = App(replace, lambda: on_sigterm(ending.begin))
        task, port = await started(app)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        await until_in_loop(lambda: app.asked)
        os.kill(os.getpid(), signal.SIGTERM)
        await until_in_loop(lambda: ending.draining)
        assert not refuses(port) and not given_up
        await until_in_loop(lambda: given_up)
        await until_in_loop(lambda: refuses(port))
        assert not task.done()  # what was taken is not answered yet
        app.ready.set()
        assert (await asyncio.wait_for(reader.readuntil(b"ok"), SECONDS)).startswith(b"HTTP/1.1 200")
        await asyncio.wait_for(task, SECONDS)
        writer.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("replace", HANDLERS)
def test_second_sigterm_exits_without_draining(replace: Callable[[object], None]) -> None:
    async def scenario() -> None:
        ending = Shutdown(3600, lambda: None)
        task, _ = await started(App(replace, lambda: on_sigterm(ending.begin)))
        os.kill(os.getpid(), signal.SIGTERM)
        await until_in_loop(lambda: ending.draining)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(task, SECONDS)

    asyncio.run(scenario())


@pytest.mark.parametrize("replace", HANDLERS)
def test_runner_exits_after_a_quiet_period(replace: Callable[[object], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_service, "QUIET_SECONDS", 0.3)

    async def scenario() -> None:
        host = RunnerHost([], Settings())
        task, _ = await started(App(replace, lambda: on_sigterm(host.drain_after_callers)))
        os.kill(os.getpid(), signal.SIGTERM)
        loop = asyncio.get_running_loop()
        busy_until = loop.time() + 0.6
        while loop.time() < busy_until:
            with pytest.raises(KeyError):  # it has no models; that it was asked counts
                await host.run("digits", "cpu", None)  # type: ignore[arg-type]
            assert not task.done()
            await asyncio.sleep(0.02)
        await asyncio.wait_for(task, SECONDS)

    asyncio.run(scenario())


def test_unknown_server_is_logged_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        before = signal.getsignal(signal.SIGTERM)
        on_sigterm(Shutdown(DRAIN_SECONDS, lambda: None).begin)
        assert signal.getsignal(signal.SIGTERM) is before

    asyncio.run(scenario())
    assert "on SIGTERM it ends without draining" in caplog.text
