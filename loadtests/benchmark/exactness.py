"""Compares responses under mixed load with responses to the same images one at a time, and those of imported models of other
forms with onnxruntime called by hand."""

import json
import random
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from loadtests.benchmark.other_forms import OTHER_FORMS, import_forms, model_file
from loadtests.benchmark.results import Exactness
from loadtests.generator.client import ServiceClient
from loadtests.generator.loops import closed_loop
from loadtests.images import colour_pictures, encode, load_images
from loadtests.processes import SERVERS, ServerError, start_server
from loadtests.requests import Request, Response, form_request
from loadtests.samples import samples

CONNECTIONS: Final = 32
LABELS: Final = 10
# Models of other forms get a tenth of the requests: their pictures are large.
OTHER_SHARE: Final = 10


def add(found: Exactness, references: list[dict[str, Any]], request: Request, response: Response) -> None:
    """Compare the response to a request of ``mixed`` with the reference of its image."""
    if response.status != 200:
        found.failures += 1
        return
    image, top_k = map(int, request.name.split())
    reference, answer = references[image], json.loads(response.body)
    expected = sorted(reference["probabilities"].values(), reverse=True)[:top_k]
    found.wrong_labels += answer["label"] != reference["label"] or len(answer["top"]) != top_k
    pairs = [(answer["probabilities"][label], value) for label, value in reference["probabilities"].items()]
    pairs += zip([one["confidence"] for one in answer["top"]], expected, strict=False)
    found.largest_difference = max(found.largest_difference, *(abs(one - other) for one, other in pairs))
    found.batch_sizes[answer["batch_size"]] = found.batch_sizes.get(answer["batch_size"], 0) + 1


def distinct_images() -> list[bytes]:
    """Every image that is sent: the samples and those of the benchmark."""
    return [image.data for image in (*samples(), *load_images().values())]


def mixed(images: list[bytes], count: int, model: str = "digits", seed: int = 0) -> Iterator[Request]:
    """Generate ``count`` requests for a model: images in random order, as body or form, options in the query or in the form.

    The name of each is the index of its image and its ``top_k``.
    """
    rng = random.Random(seed)
    for number in range(count):
        index, top_k = rng.randrange(len(images)), 1 + number % LABELS
        mode, name = rng.choice(("body", "form", "options in form")), f"{index} {top_k}"
        options = {"top_k": str(top_k), "model": model}
        target = f"/classify?{urlencode(options)}"
        if mode == "body":
            yield Request(name, target, images[index], "image/png")
        elif mode == "form":
            yield form_request(name, [images[index]], target)
        else:
            yield form_request(name, [images[index]], options=options)


def compare(name: str, address: str, count: int) -> Exactness:
    """Send every image alone, then ``count`` mixed requests over ``CONNECTIONS`` connections.

    Raises:
        ServerError: an image alone was not answered 200.
    """
    images, client = distinct_images(), ServiceClient(address, CONNECTIONS)
    alone = [client.send(Request("", "/classify", data, "image/png")) for data in images]
    client.close()
    if failed := [response for response in alone if response.status != 200]:
        raise ServerError(f"An image alone was answered {failed[0].status} {failed[0].body[-300:]!r}")
    references = [json.loads(response.body) for response in alone]
    return compare_with(references, images, address, Exactness(server=name, requests=count))


def compare_with(references: list[dict[str, Any]], images: list[bytes], address: str, found: Exactness) -> Exactness:
    """Send mixed requests for the model of ``found``, and compare each response with the reference of its image."""
    client = ServiceClient(address, CONNECTIONS)
    closed_loop(client, mixed(images, found.requests, found.model), partial(add, found, references), CONNECTIONS)
    client.close()
    found.batch_sizes = dict(sorted(found.batch_sizes.items()))
    return found


def run_exactness(topologies: Sequence[str], count: int, home: Path) -> list[Exactness]:
    """Run the comparisons on topologies of this service: digits, and imported models of other forms.

    Raises:
        ServerError: a server failed.
        CalledProcessError: a model was not imported.
    """
    images, compared = [encode(image) for image in colour_pictures()], []
    with tempfile.TemporaryDirectory() as folder:
        catalogue = import_forms(Path(folder), home)
        references = {form.name: form.references(model_file(Path(folder), form)) for form in OTHER_FORMS}
        for name in topologies:
            with start_server(SERVERS[name], home, CATALOGUE=str(catalogue)) as server:
                compared.append(compare(name, server.address, count))
                for model, expected in references.items():
                    found = Exactness(server=name, model=model, requests=-(-count // OTHER_SHARE))
                    compared.append(compare_with(expected, images, server.address, found))
    return compared
