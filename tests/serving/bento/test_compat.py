"""What the patches do besides the effects that tests/served/test_patches.py observes, and what they copy of uvicorn."""

import asyncio
import inspect
from typing import Any

import bentoml
import pytest
import uvicorn
from _bentoml_sdk.service import Service
from bentoml._internal.bento.bento import BentoServiceInfo
from uvicorn.protocols.http import auto
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from serving.bento import server as bento_server
from serving.bento.compat import Unserved, limit_http, skip_unserved
from serving.bento.connections import ConnectionTable
from serving.bento.http_protocol import LimitedProtocol
from serving.bento.server import record_server, running_server
from tests.serving.bento.server import Recorder


def test_uvicorn_uses_the_limited_protocol_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto, "AutoHTTPProtocol", auto.AutoHTTPProtocol)
    monkeypatch.setattr(ConnectionTable, "limit", None)
    limit_http(100)
    config = uvicorn.Config(Recorder(), lifespan="off", log_config=None)
    config.load()
    assert config.http_protocol_class is LimitedProtocol
    assert ConnectionTable.limit == 100


def test_uvicorns_protocol_has_what_the_limits_change_and_read() -> None:
    methods = ("connection_made", "connection_lost", "data_received", "on_headers_complete", "on_body", "on_message_complete")
    for name in (*methods, "resume_writing", "_should_upgrade", "_unset_keepalive_if_required"):
        assert name in HttpToolsProtocol.__dict__, name

    async def scenario() -> None:
        config = uvicorn.Config(Recorder(), lifespan="off", log_config=None)
        protocol = HttpToolsProtocol(config, ServerState(), {})
        attributes = {"cycle", "pipeline", "headers", "parser", "transport", "timeout_keep_alive_task", "server_state"}
        assert attributes <= vars(protocol).keys()
        protocol.on_message_begin()
        assert protocol.url == b""

    asyncio.run(scenario())
    source = inspect.getsource(HttpToolsProtocol.data_received)
    assert source.count("self.") == 7, source  # LimitedProtocol does all of this in its place: see that it still does


def test_the_running_server_is_known_to_its_own_startup_hooks(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(uvicorn.Server, "startup", uvicorn.Server.startup)
    monkeypatch.setattr(bento_server, "_running", [])
    record_server()
    assert running_server() is None
    known: list[Any] = []

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        known.append(running_server())
        await send({"type": "lifespan.startup.failed", "message": "this is enough"})

    server = uvicorn.Server(uvicorn.Config(app, lifespan="on", log_config=None, http="h11", port=0))
    with pytest.raises(SystemExit):
        asyncio.run(server.serve())
    assert known == [server]
    assert hasattr(server, "should_exit")
    assert "the limits on headers and connections do not hold" in caplog.text  # with another protocol


def test_unserved_service_is_part_of_the_bento(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Service, "all_services", Service.all_services)
    skip_unserved()

    @bentoml.service(name="inner")
    class Inner:
        pass

    @bentoml.service(name="outer")
    class Outer:
        all_services: Any  # BentoML makes a Service of the class

        inner = Unserved(Inner)
        served = bentoml.depends(bentoml.service(name="served")(type("Served", (), {})))

    listed = BentoServiceInfo.from_service(Outer)
    assert {dependency.service for dependency in listed.dependencies} == {"inner", "served"}
    assert Outer.all_services().keys() == {"outer", "inner", "served"}
    assert Outer.all_services(exclude_urls=True).keys() == {"outer", "served"}
    assert Outer().inner is None
