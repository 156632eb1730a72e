"""Keys, roles and rate limits, asked of real services."""

import contextlib
import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from loadtests.samples import FOLDER, samples
from serving.middleware.api_keys import add_key, remove_key
from tests.served.keyed import Keyed
from tests.support.problems import is_problem
from tests.support.processes import free_port, start_service
from tests.support.waiting import until

pytestmark = pytest.mark.served

SAMPLE = samples()[0]
LIMIT = 600  # requests a minute of each key
OPEN = ["/livez", "/readyz", "/healthz", "/", "/docs.json", "/schema.json", "/static_content/swagger-ui.css"]
READING = [("POST", "/classify"), ("POST", "/explain"), ("GET", "/models"), ("GET", "/metrics")]
ADMINISTERING = [("DELETE", "/gallery"), ("DELETE", "/gallery/1"), ("PATCH", "/gallery/1"), ("POST", "/models"), ("PUT", "/")]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def ask(keyed: Keyed, method: str, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    body = SAMPLE.data if method == "POST" else None
    return httpx.request(method, keyed.address + path, headers=headers, content=body, timeout=30)


@pytest.mark.parametrize("path", OPEN)
def test_health_and_the_description_need_no_key(keyed: Keyed, path: str) -> None:
    assert ask(keyed, "GET", path).status_code == 200


def test_the_description_says_what_needs_a_key(keyed: Keyed) -> None:
    docs = ask(keyed, "GET", "/docs.json").json()
    assert docs["security"] == [{"key": []}]
    assert docs["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    internal = {path for path, item in docs["paths"].items() if item.pop("x-internal", False)}
    assert internal == {"/livez", "/readyz", "/healthz", "/metrics", "/models/reload"}
    free = {path for path, item in docs["paths"].items() if any(operation.get("security") == [] for operation in item.values())}
    assert free == {"/livez", "/readyz", "/healthz"}


@pytest.mark.parametrize(("method", "path"), [*READING, *ADMINISTERING, ("GET", "/nowhere"), ("GET", "/livez/")])
def test_everything_else_does(keyed: Keyed, method: str, path: str) -> None:
    for headers in (
        None,
        {"Authorization": "Bearer"},
        bearer(keyed.reader[:-1]),
        bearer(keyed.reader + "A"),
        {"Authorization": keyed.reader},
        {"Authorization": f"Basic {keyed.reader}"},
        {"X-API-Key": keyed.reader},
    ):
        answer = ask(keyed, method, path, headers)
        is_problem(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_two_keys_are_none(keyed: Keyed) -> None:
    two = [("Authorization", f"Bearer {keyed.reader}"), ("Authorization", f"Bearer {keyed.admin}")]
    is_problem(httpx.get(f"{keyed.address}/models", headers=two), 401, "unauthorized")


def test_a_reader_reads_and_administers_nothing(keyed: Keyed) -> None:
    for method, path in READING:
        assert ask(keyed, method, path, bearer(keyed.reader)).status_code == 200
    assert ask(keyed, "POST", "/classify", {"authorization": f"bearer  {keyed.reader}"}).json()["label"] == SAMPLE.label
    for method, path in ADMINISTERING:
        detail = is_problem(ask(keyed, method, path, bearer(keyed.reader)), 403, "forbidden")
        assert "'page'" in detail
        assert "'admin'" in detail


def test_an_administrator_may_both(keyed: Keyed) -> None:
    for method, path in READING:
        assert ask(keyed, method, path, bearer(keyed.admin)).status_code == 200
    for method, path in ADMINISTERING:
        assert ask(keyed, method, path, bearer(keyed.admin)).status_code not in (401, 403)


def test_a_reader_keeps_pictures_and_an_administrator_corrects_and_deletes_them(keyed: Keyed) -> None:
    kept = ask(keyed, "POST", "/gallery", bearer(keyed.reader))
    assert kept.status_code == 201
    entry = kept.headers["location"]
    assert ask(keyed, "GET", entry, bearer(keyed.reader)).json()["label"] == SAMPLE.label
    assert ask(keyed, "GET", f"{entry}/image", bearer(keyed.reader)).headers["content-type"] == "image/png"
    assert ask(keyed, "GET", "/gallery/export", bearer(keyed.reader)).headers["content-type"] == "application/zip"

    def correct(key: str) -> httpx.Response:
        return httpx.patch(keyed.address + entry, headers=bearer(key), json={"label": "8"}, timeout=30)

    is_problem(correct(keyed.reader), 403, "forbidden")
    is_problem(ask(keyed, "DELETE", entry, bearer(keyed.reader)), 403, "forbidden")
    assert ask(keyed, "GET", entry, bearer(keyed.reader)).json()["corrected"] is None
    assert correct(keyed.admin).json()["corrected"] == "8"
    assert ask(keyed, "DELETE", entry, bearer(keyed.admin)).status_code == 204
    log = keyed.log.read_text()
    assert f"action=gallery.delete outcome=done actor=me client=127.0.0.1 entry={entry.rpartition('/')[2]}" in log
    assert not any(key in log for key in (keyed.admin, keyed.reader))


def test_a_reader_renews_its_own_entries_alone_and_takes_no_correction_away(keyed: Keyed) -> None:
    def keep(key: str, data: bytes) -> tuple[int, str]:
        answer = httpx.post(f"{keyed.address}/gallery?key=drawing-1", content=data, headers=bearer(key), timeout=30)
        return answer.status_code, answer.json()["id"]

    def entry(id: str) -> dict[str, object]:
        found: dict[str, object] = httpx.get(f"{keyed.address}/gallery/{id}", headers=bearer(keyed.reader), timeout=30).json()
        return found

    other = next(sample for sample in samples() if sample.label != SAMPLE.label)
    _, mine = keep(keyed.reader, SAMPLE.data)
    before = entry(mine)
    for key in (keyed.other_reader, keyed.admin):
        status, id = keep(key, other.data)
        assert status == 201 and id != mine
    assert entry(mine) == before
    assert keep(keyed.reader, SAMPLE.data) == (200, mine)

    correction = {"label": "3"}
    corrected = httpx.patch(f"{keyed.address}/gallery/{mine}", json=correction, headers=bearer(keyed.admin), timeout=30).json()
    assert keep(keyed.reader, SAMPLE.data) == (200, mine)
    assert entry(mine)["corrected"] == "3"
    status, id = keep(keyed.reader, other.data)
    assert status == 201 and id != mine
    assert entry(mine) | {"updated": None} == corrected | {"updated": None}
    assert (entry(id)["label"], entry(id)["corrected"]) == (other.label, None)
    assert httpx.delete(f"{keyed.address}/gallery", headers=bearer(keyed.admin), timeout=30).json()["deleted"] == 4


def test_bentomls_client_takes_the_key_as_its_token(keyed: Keyed) -> None:
    script = f"""
import bentoml, pathlib
with bentoml.SyncHTTPClient("{keyed.address}", token="{keyed.reader}") as client:
    print(client.classify(image=pathlib.Path("{FOLDER / SAMPLE.name}"))["label"])
"""
    # In a process of its own: the client leaves its temporary folder to the garbage collector, which warns.
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout == f"{SAMPLE.label}\n"


def test_refusals_do_not_wait_for_the_body_and_are_counted(keyed: Keyed) -> None:
    def refused() -> float:
        text = httpx.get(f"{keyed.address}/metrics", headers=bearer(keyed.reader)).text
        lines = [line for line in text.splitlines() if line.startswith('image_classifier_errors_total{code="unauthorized"}')]
        return sum(float(line.split()[-1]) for line in lines)

    before = refused()
    connection = http.client.HTTPConnection(keyed.address.removeprefix("http://"), timeout=5)
    with contextlib.closing(connection):
        connection.putrequest("POST", "/classify")
        connection.putheader("Content-Length", "1000000000")
        connection.endheaders()
        answer = connection.getresponse()
        assert (answer.status, json.load(answer)["code"]) == (401, "unauthorized")
    assert refused() == before + 1


class TwoWorkers(NamedTuple):
    """A service of two workers with a rate limit, whose file of keys others may write."""

    address: str
    keys: Path
    log: Path
    reader: str
    admin: str
    limited: str


@pytest.fixture(scope="module")
def two_workers(model_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoWorkers]:
    file, port = tmp_path_factory.mktemp("keys") / "keys", free_port()
    keys = add_key(file, "page", "read"), add_key(file, "me", "admin"), add_key(file, "limited", "read")
    file.chmod(0o666)
    with start_service(model_store, port, API_KEYS_FILE=str(file), RATE_LIMIT=str(LIMIT)) as address:
        yield TwoWorkers(address, file, model_store / f"service-{port}.log", *keys)


def test_a_file_that_others_may_write_is_warned_of_once(two_workers: TwoWorkers) -> None:
    assert two_workers.log.read_text().count("Other users may write") == 1


def test_a_key_has_one_rate_limit_with_all_workers(two_workers: TwoWorkers) -> None:
    with contextlib.ExitStack() as connections:
        # As many connections as reach both workers.
        clients = [connections.enter_context(httpx.Client(base_url=two_workers.address)) for _ in range(8)]

        def answer(key: str, client: httpx.Client = clients[0]) -> httpx.Response:
            return client.get("/models", headers=bearer(key))

        statuses = [answer(two_workers.limited, clients[i % 8]).status_code for i in range(LIMIT)]
        assert statuses == [200] * LIMIT
        refused = next(one for one in (answer(two_workers.limited) for _ in range(LIMIT)) if one.status_code != 200)
        detail = is_problem(refused, 429, "rate_limited")
        assert refused.headers["retry-after"] == "1"
        assert "'limited'" in detail
        assert answer(two_workers.admin).status_code == 200
        assert {client.get("/readyz").status_code for client in clients} == {200}
        until(lambda: answer(two_workers.limited).status_code == 200)


def test_keys_change_without_a_restart(two_workers: TwoWorkers) -> None:
    address, file, old = two_workers.address, two_workers.keys, two_workers.reader
    with contextlib.ExitStack() as clients:

        def statuses(key: str) -> set[int]:
            """What ten connections are answered, so that both workers are asked."""
            client = clients.enter_context(httpx.Client(base_url=address, headers={**bearer(key), "Connection": "close"}))
            return {client.get("/models").status_code for _ in range(10)}

        assert statuses(old) == {200}
        new = add_key(file, "page-of-june", "read")
        until(lambda: statuses(new) == {200})
        assert statuses(old) == {200}
        remove_key(file, "page")
        until(lambda: statuses(old) == {401})
        assert statuses(new) == {200}

        file.write_text("nonsense\n", encoding="utf-8")
        # The file is read again when somebody asks, by each worker.
        until(lambda: statuses(new) == {200} and two_workers.log.read_text().count("stay valid") == 2)
        file.write_text("", encoding="utf-8")
        until(lambda: statuses(new) == {401})
        assert httpx.get(f"{address}/livez").status_code == 200
