"""Three API containers behind haproxy, under steady load while containers are killed, added, drained and replaced.

A container stands for a machine here: an address of its own on a network, found by DNS, checked by the probe of the manifests.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from tests.containers.compose_stack import ComposeStack, inspect, run, running_stack
from tests.containers.conftest import Images
from tests.containers.steady_load import Sent, SteadyLoad, summary
from tests.support.pictures import digit, encoded
from tests.support.waiting import until

pytestmark = [pytest.mark.containers, pytest.mark.slow]

CONTAINERS = 3
PER_SECOND = 20.0
READ_METRICS = """
import os, urllib.request
request = urllib.request.Request("http://127.0.0.1:3000/metrics", headers={"Authorization": os.environ["KEY"]})
print(urllib.request.urlopen(request).read().decode())
"""
ENOUGH = 40  # requests after an event, before its figures are taken


@pytest.fixture(scope="module")
def stack(images: Images, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeStack]:
    secrets = tmp_path_factory.mktemp("secrets")
    limits = {"API_CONTAINERS": str(CONTAINERS), "API_CPUS": "1", "API_MEMORY": "768m"}
    with running_stack("failover", "minimal", images, secrets, **limits) as stack:
        yield stack


@pytest.fixture(scope="module")
def load(stack: ComposeStack) -> Iterator[SteadyLoad]:
    with SteadyLoad(stack.api_address, encoded(digit("7")), "7", PER_SECOND, stack.admin) as load:
        yield load


def during(load: SteadyLoad, event: Callable[[], object]) -> tuple[float, float, list[Sent]]:
    """Cause an event; its begin and its end, and the requests from then until ``ENOUGH`` were due after the end."""
    begin = time.monotonic()
    event()
    end = time.monotonic()
    until(lambda: len(load.since(end)) >= ENOUGH, seconds=60)
    return begin, end, load.since(begin)


def report(event: str, begin: float, sent: list[Sent], normal: float = 1.0) -> None:
    """Print the figures of an event; it is over with the last request that failed or took longer than ``normal`` seconds."""
    late = [one.ended - begin for one in sent if one.failure or one.ended - one.due > normal]
    sys.stdout.write(f"{event}: {summary(sent)}; last failed or slow request ended after {max(late, default=0.0):.1f} s\n")


def served(container: str, key: dict[str, str]) -> bool:
    """Whether a container has classified an image."""
    command = ["docker", "exec", "--env", f"KEY={key['Authorization']}", container, "python", "-c", READ_METRICS]
    metrics = subprocess.run(command, capture_output=True, text=True, timeout=30).stdout
    return any(line.startswith("image_classifier_images_total") for line in metrics.splitlines())


def derived_image(base: str, name: str, *lines: str) -> str:
    """Build an image from another one with some more lines."""
    dockerfile = "\n".join([f"FROM {base}", *lines])
    subprocess.run(
        ["docker", "build", "--quiet", "--tag", name, "-"],
        input=dockerfile,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return name


@pytest.fixture
def next_image(images: Images) -> str:
    return derived_image(images.api, "classifier_test_next", "LABEL version=next")


@pytest.fixture
def broken_image(images: Images) -> str:
    return derived_image(images.api, "classifier_test_broken", "ENV DEFAULT_MODEL=absent")


def test_killed_container_fails_only_its_requests_in_flight(stack: ComposeStack, load: SteadyLoad) -> None:
    killed = stack.containers("api")[0]
    begin, end, sent = during(load, lambda: run("docker", "kill", killed))
    report("killed", begin, sent)
    in_flight = [one for one in load.sent if one.due <= end and one.ended >= begin]
    assert {one for one in sent if one.failure} <= set(in_flight)

    begin, _, sent = during(load, lambda: run("docker", "start", killed))
    until(lambda: served(killed, stack.admin), seconds=60)
    report("back", begin, load.since(begin))
    assert [one for one in load.since(begin) if one.failure] == []


def test_added_container_gets_requests_and_none_fails(stack: ComposeStack, load: SteadyLoad) -> None:
    before = set(stack.containers("api"))
    begin, _, _ = during(load, lambda: stack.make("up", API_CONTAINERS=str(CONTAINERS + 1)))
    (added,) = set(stack.containers("api")) - before
    until(lambda: served(added, stack.admin), seconds=60)
    report("added", begin, load.since(begin))
    assert [one for one in load.since(begin) if one.failure] == []


def test_drained_container_fails_no_request(stack: ComposeStack, load: SteadyLoad) -> None:
    drained = stack.containers("api")[0]
    begin, _, sent = during(load, lambda: run("docker", "stop", drained))
    report("drained", begin, sent)
    assert [one for one in sent if one.failure] == []
    assert inspect(drained)["State"]["ExitCode"] == 0
    run("docker", "rm", drained)


def test_new_version_replaces_all_containers_and_no_request_fails(
    stack: ComposeStack, load: SteadyLoad, next_image: str
) -> None:
    before = stack.containers("api")
    begin, _, sent = during(load, lambda: stack.make("roll", ROLL="api", API_IMAGE=next_image))
    report("replaced", begin, sent)
    assert [one for one in sent if one.failure] == []
    after = stack.containers("api")
    assert len(after) == len(before)
    assert {inspect(container)["Config"]["Image"] for container in after} == {next_image}


def test_bad_version_is_taken_back_and_no_request_fails(stack: ComposeStack, load: SteadyLoad, broken_image: str) -> None:
    before = sorted(stack.containers("api"))
    begin, _, sent = during(load, lambda: stack.make("roll", check=False, ROLL="api", API_IMAGE=broken_image))
    report("bad version", begin, sent)
    assert [one for one in sent if one.failure] == []
    assert sorted(stack.containers("api")) == before
