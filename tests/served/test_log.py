"""What a real service writes to its log of what clients send."""

from pathlib import Path

import httpx
import pytest

from serving.middleware.api_keys import add_key
from tests.support.processes import free_port, start_service

pytestmark = pytest.mark.served

FORGED = "/x%0AFAKE%20LINE%0D%1B%5B31mFAKE%E2%80%A8FAKE"


def test_no_client_writes_a_line_of_the_log(model_store: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    headers = {"Authorization": f"Bearer {add_key(keys, 'me', 'admin')}"}
    port = free_port()
    with start_service(model_store, port, WORKERS="1", ACCESS_LOG="true", API_KEYS_FILE=str(keys)) as address:
        for method in ("GET", "POST", "DELETE"):  # those that change something are logged with the key's name
            assert httpx.request(method, f"{address}{FORGED}", headers=headers).status_code in (404, 405)
            assert httpx.request(method, f"{address}{FORGED}").status_code == 401
        assert httpx.get(f"{address}/models", params={"model": "x\nFAKE"}, headers=headers).status_code == 200
    text = (model_store / f"service-{port}.log").read_bytes().decode()
    lines = text.splitlines()
    assert not [line for line in lines if line.startswith("FAKE")]
    assert "\x1b[31m" not in text
    assert sum(r"path=/x\nFAKE LINE\r\x1b[31mFAKE\u2028FAKE" in line for line in lines) >= 3  # the access log
    assert any(r"POST /x\nFAKE LINE" in line and line.endswith("with the key me") for line in lines)
