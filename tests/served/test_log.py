"""What a real service writes to its log of what clients send."""

import httpx
import pytest

from tests.served.keyed import Keyed
from tests.support.waiting import until

pytestmark = pytest.mark.served

FORGED = "/x%0AFAKE%20LINE%0D%1B%5B31mFAKE%E2%80%A8FAKE"


def test_no_client_writes_a_line_of_the_log(keyed: Keyed) -> None:
    headers = {"Authorization": f"Bearer {keyed.admin}"}
    before = keyed.log.stat().st_size
    for method in ("GET", "POST", "DELETE"):
        assert httpx.request(method, f"{keyed.address}{FORGED}", headers=headers).status_code in (404, 405)
        assert httpx.request(method, f"{keyed.address}{FORGED}").status_code == 401
    reader = {"Authorization": f"Bearer {keyed.reader}"}  # what its role does not allow is in the audit log
    assert httpx.post(f"{keyed.address}{FORGED}", headers=reader).status_code == 403
    assert httpx.get(f"{keyed.address}/models", params={"model": "x\nFAKE"}, headers=headers).status_code == 200

    def written() -> str:
        return keyed.log.read_bytes()[before:].decode()

    until(lambda: written().count(r"path=/x\nFAKE LINE\r\x1b[31mFAKE\u2028FAKE") >= 3)  # the access log
    lines = written().splitlines()
    assert not [line for line in lines if line.startswith("FAKE")]
    assert "\x1b[31m" not in written()
    assert any(r" actor=page " in line and r'path="/x\nFAKE LINE\r\u001b[31mFAKE\u2028FAKE"' in line for line in lines)
