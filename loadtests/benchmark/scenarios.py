"""The loads of the benchmark: which image, over how many connections, on which route."""

from dataclasses import dataclass
from typing import Final

import httpx

from loadtests.http_client import encode_form
from loadtests.images import load_images
from loadtests.processes import SERVERS, Server, ServerError, post_form

BATCH: Final = 64


@dataclass(frozen=True, slots=True)
class Scenario:
    """One load: a form with ``images`` copies of an image, posted over ``connections`` connections to ``servers``."""

    name: str
    title: str
    image: str
    connections: int
    route: str = "/classify"
    field: str = "image"
    images: int = 1
    servers: tuple[str, ...] = tuple(SERVERS)

    def body(self) -> bytes:
        """Encode the form that every request posts."""
        return encode_form([load_images()[self.image].data] * self.images, self.field)

    def check(self, server: Server) -> None:
        """Post the form once.

        Raises:
            ServerError: the response is not 200 with the right label for every image.
        """
        response = post_form(server.address + self.route, self.body())
        if response.status_code != 200 or labels(response) != [load_images()[self.image].label] * self.images:
            raise ServerError(f"{self.name} was answered {response.status_code} {response.text[:300]}")


def labels(response: httpx.Response) -> list[str]:
    """The labels in a response: of one image, or of every entry of a batch."""
    answer = response.json()
    entries = answer if isinstance(answer, list) else [answer]
    return [str(entry.get("label")) for entry in entries]


CANVAS_32: Final = Scenario("canvas@32", "280x280 canvas, 32 connections", "canvas", 32)
CANVAS_64: Final = Scenario("canvas@64", "280x280 canvas, 64 connections", "canvas", 64)
SCENARIOS: Final = (
    CANVAS_32,
    Scenario("small@32", "16x16 grey, 32 connections", "small", 32),
    Scenario("canvas@1", "280x280 canvas, 1 connection", "canvas", 1),
    Scenario("small@1", "16x16 grey, 1 connection", "small", 1),
    CANVAS_64,
    Scenario("batch@4", f"{BATCH} x 16x16 grey, 4 connections", "small", 4, "/classify/batch", "images", BATCH, ("embedded",)),
)
# Long runs: the server and the scenario.
ENDURANCE: Final = (("embedded", CANVAS_32), ("runner", CANVAS_64))
