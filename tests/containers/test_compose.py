"""The whole stack of deploy/compose/, started by `make up`: hardened, its secrets secret, and used through the proxy."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.processes import CHROMIUM, NO_CHROMIUM, TIMEOUT_MS, launch_chromium
from tests.browser.states import headline
from tests.browser.strokes import SEVEN, draw
from tests.browser.tabs import Tabs
from tests.containers.compose_stack import ComposeStack, inspect, run, running_stack
from tests.containers.conftest import Images
from tests.deploy.monitoring.rule_files import all_rules
from tests.support.pictures import digit, encoded
from tests.support.waiting import until

pytestmark = [pytest.mark.containers, pytest.mark.slow]

API_CONTAINERS = 2
PAGE_CONTAINERS = 2
SCREEN = {"width": 1280, "height": 900}
PUBLIC = ("prometheus", "read", "admin", "page")  # words of the files of secrets that are no secrets
CONNECT = "import socket; socket.create_connection(('database', 5432), 5)"


@pytest.fixture(scope="module")
def stack(images: Images, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeStack]:
    settings = {"API_CONTAINERS": str(API_CONTAINERS), "PAGE_CONTAINERS": str(PAGE_CONTAINERS), "API_CPUS": "1"}
    with running_stack("compose", "full", images, tmp_path_factory.mktemp("secrets"), **settings) as stack:
        yield stack


def test_every_service_runs(stack: ComposeStack) -> None:
    containers = [inspect(container) for container in stack.containers()]
    services = sorted(container["Config"]["Labels"]["com.docker.compose.service"] for container in containers)
    assert services == ["alertmanager", "api", "api", "database", "haproxy", "page", "page", "prometheus"]
    for container in containers:
        assert container["State"].get("Health", {"Status": "healthy"})["Status"] == "healthy", container["Name"]
        assert container["RestartCount"] == 0, container["Name"]


def test_containers_have_limits_and_no_rights(stack: ComposeStack) -> None:
    for container in map(inspect, stack.containers()):
        host, name = container["HostConfig"], container["Name"]
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"] and not host["CapAdd"], name
        assert host["SecurityOpt"] == ["no-new-privileges:true"], name
        assert host["Memory"] > 0 and host["NanoCpus"] > 0 and host["PidsLimit"] > 0, name
        assert container["Config"]["User"].split(":")[0] not in ("", "0", "root"), name


def test_secrets_are_in_files_alone(stack: ComposeStack) -> None:
    assert stack.secrets.stat().st_mode & 0o777 == 0o700
    files = sorted(stack.secrets.iterdir())
    words = {word for file in files for word in file.read_text(encoding="ascii").split() if word not in PUBLIC}
    assert len(words) >= len(files)
    shown = run("docker", "inspect", *stack.containers()).stdout
    assert [word for word in words if word in shown] == []


def test_another_start_changes_nothing(stack: ComposeStack) -> None:
    before = sorted(stack.containers()), stack.secret("gallery_url")
    stack.make("up")
    assert (sorted(stack.containers()), stack.secret("gallery_url")) == before


def test_only_the_api_reaches_the_database(stack: ComposeStack) -> None:
    (database,) = stack.containers("database")
    assert [name.rpartition("_")[2] for name in inspect(database)["NetworkSettings"]["Networks"]] == ["back"]
    for container in stack.containers("api"):
        run("docker", "exec", container, "python", "-c", CONNECT)
    unknown = run("docker", "exec", stack.containers("page")[0], "python", "-c", CONNECT, check=False)
    assert "gaierror" in unknown.stderr


def test_requests_need_a_key(stack: ComposeStack) -> None:
    image = encoded(digit("7"))
    assert httpx.post(f"{stack.api_address}/classify", content=image).status_code == 401
    answer = httpx.post(f"{stack.api_address}/classify", content=image, headers=stack.admin)
    assert (answer.status_code, answer.json()["label"]) == (200, "7")


@pytest.mark.browser
def test_drawing_through_the_proxy_with_two_page_containers(stack: ComposeStack) -> None:
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright, launch_chromium(playwright) as chromium, Tabs(chromium).open(viewport=SCREEN) as tab:
        tab.goto(stack.page_address)
        draw(tab, SEVEN)
        expect(headline(tab)).to_have_attribute("data-label", "7")
        assert "page" in [cookie.get("name") for cookie in tab.context.cookies()]


def test_prometheus_scrapes_every_api_container(stack: ComposeStack) -> None:
    def up() -> dict[str, int]:
        query = httpx.get(f"{stack.prometheus_address}/api/v1/query", params={"query": "sum by (job) (up)"}).json()
        return {one["metric"]["job"]: int(one["value"][1]) for one in query["data"]["result"]}

    until(lambda: up() == {"image-classifier": API_CONTAINERS, "haproxy": 1}, seconds=60)


def test_prometheus_has_the_rules_and_reaches_alertmanager(stack: ComposeStack) -> None:
    groups = httpx.get(f"{stack.prometheus_address}/api/v1/rules").json()["data"]["groups"]
    assert len([rule for group in groups for rule in group["rules"]]) == len(all_rules())
    alertmanagers = f"{stack.prometheus_address}/api/v1/alertmanagers"
    until(lambda: len(httpx.get(alertmanagers).json()["data"]["activeAlertmanagers"]) == 1, seconds=60)


def test_backup_of_the_gallery_is_restored(stack: ComposeStack, tmp_path: Path) -> None:
    """With the commands of docs/deployment.md."""
    gallery, admin = f"{stack.api_address}/gallery", stack.admin
    for _ in range(3):
        assert httpx.post(gallery, content=encoded(digit("7")), headers=admin).status_code == 201
    before = httpx.get(gallery, headers=admin).json()["entries"]
    database, backup = ["docker", "exec", "--interactive", stack.containers("database")[0]], tmp_path / "gallery.sql"
    dump = ["pg_dump", "--username", "gallery", "--clean", "--if-exists", "--table", "gallery_*", "gallery"]
    with backup.open("wb") as file:
        subprocess.run([*database, *dump], stdout=file, check=True, timeout=60)
    assert httpx.delete(gallery, headers=admin).json()["deleted"] >= 3
    restore = ["psql", "--username", "gallery", "--quiet", "--set", "ON_ERROR_STOP=1", "gallery"]
    with backup.open("rb") as file:
        subprocess.run([*database, *restore], stdin=file, check=True, capture_output=True, timeout=60)
    assert httpx.get(gallery, headers=admin).json()["entries"] == before
