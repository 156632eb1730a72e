"""What answers tell browsers, and what pages of other sites may have them ask."""

from collections.abc import Iterator

import httpx
import pytest

from loadtests.samples import samples
from tests.served.keyed import ORIGINS, Keyed
from tests.support.problems import is_problem

pytestmark = pytest.mark.served

PICTURE = samples()[0].data
STRANGER = "https://stranger.example"
ANSWERS = [
    ("GET", "/", 200),
    ("GET", "/docs.json", 200),
    ("GET", "/schema.json", 200),
    ("GET", "/static_content/swagger-ui-bundle.js", 200),
    ("GET", "/livez", 200),
    ("GET", "/readyz", 200),
    ("GET", "/metrics", 200),
    ("GET", "/models", 200),
    ("HEAD", "/models", 200),
    ("GET", "/livez/", 404),
    ("POST", "/classify", 200),
    ("GET", "/nowhere", 404),
    ("GET", "/classify", 405),
    ("POST", "/classify/batch", 400),
]


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_answer_holds_browsers_back(service_address: str, method: str, path: str, status: int) -> None:
    answer = httpx.request(method, service_address + path, content=PICTURE if method == "POST" else None)
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-frame-options"] == "DENY"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == ("no-cache" if path.startswith("/static_content/") else "no-store")
    assert "access-control-allow-origin" not in answer.headers
    assert "bento" not in answer.headers.get("server", "").lower()


def test_no_page_asks_anybody_else(service_address: str) -> None:
    page = httpx.get(f"{service_address}/").text
    assert "://" not in page
    assert "://" not in httpx.get(f"{service_address}/docs.json").json()["info"]["description"]


def test_pages_of_other_sites_get_nothing_and_leave_nothing(service_address: str) -> None:
    def post(**headers: str) -> httpx.Response:
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.post(f"{service_address}/classify", content=PICTURE, headers=said)

    host = service_address.removeprefix("http://")
    for foreign in (
        post(Origin=STRANGER),
        post(Origin="null"),
        post(Origin="http://127.0.0.1:1"),
        post(Origin="http://["),
        post(Origin=STRANGER, Sec_Fetch_Site="cross-site"),
        post(Origin=service_address, Sec_Fetch_Site="same-site"),
        post(Sec_Fetch_Site="cross-site"),
    ):
        assert "CORS_ORIGINS" in is_problem(foreign, 403, "forbidden")
        assert "access-control-allow-origin" not in foreign.headers
    for own in (
        post(),
        post(Origin=service_address),
        post(Origin=f"https://{host}"),  # behind a proxy that speaks TLS
        post(Origin=service_address, Sec_Fetch_Site="same-origin"),
        post(Sec_Fetch_Site="none"),
    ):
        assert own.status_code == 200
    asked = {"Origin": STRANGER, "Access-Control-Request-Method": "POST"}
    assert httpx.options(f"{service_address}/classify", headers=asked).status_code == 405
    assert httpx.get(f"{service_address}/models", headers={"Origin": STRANGER}).status_code == 200  # which the browser keeps


@pytest.fixture
def shared(keyed: Keyed) -> Iterator[httpx.Client]:
    """A client of a service that two origins may use, with a key."""
    with httpx.Client(base_url=keyed.address, headers={"Authorization": f"Bearer {keyed.reader}"}) as client:
        yield client


@pytest.mark.parametrize("origin", ORIGINS)
def test_pages_of_listed_origins_may_ask(shared: httpx.Client, origin: str) -> None:
    for path in ("/classify", "/models"):
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        preflight = httpx.options(f"{shared.base_url}{path}", headers=asked)  # browsers send no key with it
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == origin
        assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
        assert "access-control-allow-credentials" not in preflight.headers
        assert preflight.headers["x-content-type-options"] == "nosniff"
    answer = shared.post("/classify", content=PICTURE, headers={"Origin": origin, "Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, origin)
    refused = httpx.get(f"{shared.base_url}/models", headers={"Origin": origin})
    is_problem(refused, 401, "unauthorized")
    assert refused.headers["access-control-allow-origin"] == origin  # so that the page can read why


def test_others_may_not(shared: httpx.Client) -> None:
    for origin in (STRANGER, f"{ORIGINS[0]}.stranger.example", "http://friend.example", "null"):
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        assert shared.options("/classify", headers=asked).status_code == 400
        answer = shared.post("/classify", content=PICTURE, headers={"Origin": origin})
        is_problem(answer, 403, "forbidden")
        assert "access-control-allow-origin" not in answer.headers
