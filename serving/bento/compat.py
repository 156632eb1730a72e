"""Changes to what BentoML and uvicorn do, each with its reason. All of them are made when the service is imported, so that one
whose place is gone ends the start."""

import logging
from typing import Any, Final

import uvicorn
from _bentoml_sdk.service import Service
from _bentoml_sdk.service.dependency import Dependency
from uvicorn.protocols.http import auto

from serving.bento.connections import limit_connections
from serving.bento.http_protocol import LimitedProtocol

logger = logging.getLogger("bentoml.serving")

_running: Final[list[uvicorn.Server]] = []


def limit_http(max_connections: int) -> None:
    """Have uvicorn speak HTTP within limits. BentoML builds uvicorn's configuration itself and takes no protocol for it,
    so that this changes what the choice ``auto`` means."""
    auto.AutoHTTPProtocol = LimitedProtocol
    limit_connections(max_connections)


def record_server() -> None:
    """Have uvicorn's server be found by ``running_server``. BentoML starts it and keeps it to itself, but shutting down in
    order takes its listeners and its ``should_exit``, whatever handles signals."""
    startup = uvicorn.Server.startup

    async def recorded(self: uvicorn.Server, sockets: Any = None) -> None:
        if self.config.http_protocol_class is not LimitedProtocol:
            logger.error(
                "uvicorn serves %s: the limits on headers and connections do not hold.", self.config.http_protocol_class
            )
        _running[:] = [self]
        await startup(self, sockets=sockets)

    uvicorn.Server.startup = recorded  # type: ignore[method-assign]


def running_server() -> uvicorn.Server | None:
    """The server of this process, from before its start-up hooks run."""
    return _running[0] if _running else None


class Unserved(Dependency[Any]):  # type: ignore[misc]  # BentoML's SDK has no types
    """A service that belongs to the Bento but is not started with this one: nobody calls it."""

    def get(self, **_: Any) -> None:
        """Nothing stands in its place."""


def leave_out_unserved() -> None:
    """Have ``bentoml serve`` start no service that is ``Unserved``. A Bento lists the services its class depends on when it is
    built, by whatever command, and none but those can be served from it: so the class always says all of them."""
    all_services = Service.all_services

    def served(self: Service[Any], exclude_urls: bool = False) -> dict[str, Service[Any]]:
        services: dict[str, Service[Any]] = all_services(self, exclude_urls=exclude_urls)
        if exclude_urls:  # by serving alone
            for dependency in self.dependencies.values():
                if isinstance(dependency, Unserved) and dependency.on is not None:
                    services.pop(dependency.on.name, None)
        return services

    Service.all_services = served
