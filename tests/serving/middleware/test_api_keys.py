"""Keys, roles and rate limits, without a service; tests/served/test_access.py has them with one."""

import asyncio
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from serving.keys import main
from serving.middleware.api_key_store import ApiKeyStore
from serving.middleware.api_keys import (
    KEY_BYTES,
    Key,
    KeysError,
    Role,
    add_key,
    digest,
    find,
    read_keys,
    remove_key,
    warnings,
)
from serving.middleware.authentication import required_role
from tests.support.processes import ROOT

HASH = "0" * 64


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_only_the_hash_of_a_key_is_stored(file: Path) -> None:
    given: list[tuple[str, Role]] = [("page", "read"), ("next-page", "read"), ("me", "admin")]
    secrets = [add_key(file, name, role) for name, role in given]
    keys = read_keys(file)
    assert [(key.name, key.role) for key in keys] == given
    assert [find(keys, secret.encode()) for secret in secrets] == keys
    assert len(set(secrets)) == len(given)
    assert all(len(bytes.fromhex(secret)) == KEY_BYTES for secret in secrets)
    kept = file.read_text()
    assert not any(secret in kept for secret in secrets)
    assert find(keys, keys[0].digest.hex().encode()) is None


def test_admin_role_includes_read_role() -> None:
    reader, admin = Key("a", "read", b""), Key("b", "admin", b"")
    assert [reader.allows("read"), reader.allows("admin")] == [True, False]
    assert [admin.allows("read"), admin.allows("admin")] == [True, True]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f"page {HASH}", "line 1: not `NAME read|admin SHA256`"),
        (f"page root {HASH}", "line 1: not"),
        (f"# a key\n\npage read {HASH[:-1]}", "line 3: not"),
        (f"page read {HASH} {HASH}", "line 1: not"),
        (f"../page read {HASH}", "line 1: not"),
        (f"page read {HASH}\npage admin {HASH}", "line 2: there is already a key called 'page'"),
        ("\x00\udcff", "cannot be read"),
    ],
)
def test_invalid_line_is_named(text: str, fault: str, file: Path) -> None:
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(KeysError, match="(?s)" + fault.replace("|", r"\|")):
        read_keys(file)
    before = file.read_bytes()
    with pytest.raises(KeysError):
        add_key(file, "another", "read")
    assert file.read_bytes() == before


@pytest.mark.parametrize("name", ["", " ", "two words", "../up", "a" * 65, "ö", "#a", "-a", "a\nb"])
def test_invalid_name_is_refused(name: str, file: Path) -> None:
    with pytest.raises(KeysError, match="not a valid name for a key"):
        add_key(file, name, "read")
    assert not file.exists()


def test_names_are_unique_and_comments_are_kept(file: Path) -> None:
    add_key(file, "page", "read")
    with pytest.raises(KeysError, match="already"):
        add_key(file, "page", "admin")
    file.write_text(f"{file.read_text()}# of the gateway, until June\ngateway read {HASH}")
    add_key(file, "me", "admin")
    remove_key(file, "page")
    assert [key.name for key in read_keys(file)] == ["gateway", "me"]
    assert "# of the gateway, until June\n" in file.read_text()
    with pytest.raises(KeysError, match="no key called 'page'"):
        remove_key(file, "page")


def test_key_file_is_private_and_keeps_its_permissions(file: Path) -> None:
    add_key(file, "page", "read")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert warnings(file, read_keys(file)) == []
    for mode, open_to_others in ((0o640, False), (0o440, False), (0o644, False), (0o660, True), (0o602, True)):
        file.chmod(mode)
        assert bool(warnings(file, read_keys(file))) == open_to_others, oct(mode)
    file.chmod(0o640)
    add_key(file, "me", "admin")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert list(file.parent.iterdir()) == [file]


def test_empty_key_file_refuses_everybody_with_a_warning(file: Path) -> None:
    file.touch(0o600)
    assert read_keys(file) == []
    assert "holds no key" in warnings(file, [])[0]


def test_command_adds_lists_and_removes_keys(file: Path) -> None:
    def keys(*arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "API_KEYS_FILE": str(file)}
        command = [sys.executable, "-m", "serving.keys", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)

    added = keys("add", "page")
    assert added.returncode == 0
    assert read_keys(file) == [Key("page", "read", digest(added.stdout.strip().encode()))]
    assert "page (read)" in added.stderr
    assert added.stdout.strip() not in added.stderr
    assert keys("add", "me", "--role", "admin").returncode == 0
    assert keys("list").stdout == "page read\nme admin\n"
    again = keys("add", "page")
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.count("\n") == 1
    assert keys("remove", "page").returncode == 0
    assert keys("list").stdout == "me admin\n"


def test_command_escapes_control_characters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "keys\x1b[31m\n")
    for arguments in (["add", "a"], ["add", "a\x1b"], ["list"], ["remove", "b\x1b"], ["remove", "a"], ["remove", "a"]):
        main([*arguments, "--file", file])
        said = capsys.readouterr()
        assert (said.out + said.err).replace("\n", "").isprintable(), arguments
        assert said.err.count("\n") <= 1
    assert main(["list", "--file", str(tmp_path / "none\n\x1b")]) == 1
    assert r"none\n\x1b" in capsys.readouterr().err


def test_command_needs_a_file(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    monkeypatch.delenv("API_KEYS_FILE", raising=False)
    with pytest.raises(SystemExit):
        main(["add", "page"])
    assert "API_KEYS_FILE" in capsys.readouterr().err
    assert main(["add", "page", "--file", str(tmp_path / "nowhere" / "keys")]) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert main(["list", "--file", str(tmp_path)]) == 1
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("GET", "/livez", None),
        ("HEAD", "/readyz", None),
        ("GET", "/", None),
        ("GET", "/static_content/swagger-ui.css", None),
        ("GET", "/static_content", "read"),
        ("GET", "/metrics", "read"),
        ("GET", "/models", "read"),
        ("GET", "//livez", "read"),
        ("GET", "/gallery/export", "read"),
        ("GET", "/nowhere", "read"),
        ("POST", "/classify", "read"),
        ("POST", "/gallery", "read"),
        ("POST", "/", "admin"),
        ("POST", "/livez", "admin"),
        ("POST", "/classify/", "admin"),
        ("POST", "/models", "admin"),
        ("POST", "/models/reload", "admin"),
        ("PATCH", "/gallery/1", "admin"),
        ("DELETE", "/gallery", "admin"),
        ("PUT", "/classify", "admin"),
        ("ANYTHING", "/", "admin"),
    ],
)
def test_unknown_unsafe_routes_need_the_admin_role(method: str, path: str, role: Role | None) -> None:
    assert required_role(method, path) == role


def test_keys_are_read_again_when_their_file_changes(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def play() -> None:
        now = 1000.0
        monkeypatch.setattr("serving.middleware.api_key_store.monotonic", lambda: now)
        first = add_key(file, "first", "read").encode()
        store = ApiKeyStore(file)

        async def known(*secrets: bytes) -> list[bool]:
            return [await store.find(secret) is not None for secret in secrets]

        second = add_key(file, "second", "read").encode()
        assert await known(first, second) == [True, False]
        now += 2
        assert await known(first, second) == [True, True]
        for spoil in (lambda: file.write_text("nonsense"), file.unlink):
            spoil()
            now += 2
            assert await known(first, second) == [True, True]
            assert "stay valid" in caplog.text
            caplog.clear()
            now += 2
            assert await known(first) == [True]
            assert caplog.text == ""  # said once
        third = add_key(file, "third", "read").encode()
        now += 2
        assert await known(first, second, third) == [False, False, True]

    asyncio.run(play())


def test_keys_are_read_in_a_thread_and_removed_keys_are_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> None:
        now = 1000.0
        monkeypatch.setattr("serving.middleware.api_key_store.monotonic", lambda: now)
        secret = add_key(file, "page", "read").encode()
        store, slow = ApiKeyStore(file), threading.Event()
        remove_key(file, "page")

        def read_slowly(path: Path) -> list[Key]:
            assert slow.wait(30)
            return read_keys(path)

        monkeypatch.setattr("serving.middleware.api_key_store.read_keys", read_slowly)
        now += 2
        requests = [asyncio.ensure_future(store.find(secret)) for _ in range(3)]
        await asyncio.sleep(0)  # one turn of the loop
        assert not any(request.done() for request in requests)
        requests.pop().cancel()  # a client that goes away takes nobody's answer along
        slow.set()
        assert await asyncio.gather(*requests) == [None, None]

    asyncio.run(play())
