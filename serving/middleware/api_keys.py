"""The file of API keys: reads, adds and removes names, roles and hashes. ``python -m serving.keys`` is its command line.

A key is 256 random bits, which cannot be guessed, so that a plain SHA-256 of it is enough: slow and salted hashes are for
passwords, which people choose, and would cost every request more than its inference.
"""

import hashlib
import hmac
import re
import secrets
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

Role: TypeAlias = Literal["read", "admin"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)  # each may do all that those before it may
KEY_BYTES: Final = 32
# Permission bits that a file of keys should not have. It may be read: a mounted secret often can be, and it has only hashes.
UNSAFE_MODE: Final = 0o022

_LINE: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63})\s+(\S+)\s+([0-9a-f]{64})")
_HEADER: Final = "# Keys of the API: name, role, SHA-256 of the key. python -m serving.keys adds and removes them.\n"


class KeysError(Exception):
    """The file of keys cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Key:
    """An API key: the name of its owner, its role, and the SHA-256 of its secret."""

    name: str
    role: Role
    digest: bytes

    def allows(self, role: Role) -> bool:
        """Whether it may do what needs ``role``."""
        return ROLES.index(self.role) >= ROLES.index(role)

    @property
    def line(self) -> str:
        """Its line in the file."""
        return f"{self.name} {self.role} {self.digest.hex()}\n"


def digest(secret: bytes) -> bytes:
    """The SHA-256 of a secret, which is all that is kept of it."""
    return hashlib.sha256(secret).digest()


def find(keys: Iterable[Key], secret: bytes) -> Key | None:
    """The key whose secret is ``secret``, or None; takes the same time whichever it is and however similar."""
    presented, found = digest(secret), None
    for key in keys:
        if hmac.compare_digest(presented, key.digest):
            found = key
    return found


def read_keys(file: Path) -> list[Key]:
    """The keys of a file: on every line a name, a role and a hash; empty lines and lines with # are ignored.

    Raises:
        KeysError: it cannot be read, or has an invalid line.
    """
    keys: dict[str, Key] = {}
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise KeysError(f"The API keys in {file} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key = _parse(line.strip())
        if key is None:
            raise KeysError(
                f"{file}, line {number}: not `NAME {'|'.join(ROLES)} SHA256`. `python -m serving.keys add` writes such lines."
            )
        if key.name in keys:
            raise KeysError(f"{file}, line {number}: there is already a key called {key.name!r}. Give each key its own name.")
        keys[key.name] = key
    return list(keys.values())


def warnings(file: Path, keys: Sequence[Key]) -> list[str]:
    """Warnings about a valid file of keys."""
    found = []
    if file.stat().st_mode & UNSAFE_MODE:
        found.append(f"Other users may write {file}, and whoever writes it can use the API. Run chmod 600 on it.")
    if not keys:
        found.append(f"{file} holds no key: all requests but health checks are refused. Run python -m serving.keys add NAME.")
    return found


def add_key(file: Path, name: str, role: Role) -> str:
    """Add a new key to the file, which is created if missing; returns the secret, which is stored nowhere.

    Raises:
        KeysError: the file cannot be used, or there is a key of that name.
    """
    keys = read_keys(file) if file.exists() else []
    if any(key.name == name for key in keys):
        raise KeysError(f"There is already a key called {name!r}. Choose another name, or remove that key first.")
    secret = secrets.token_hex(KEY_BYTES)
    key = Key(name, role, digest(secret.encode()))
    if _parse(key.line.strip()) != key:
        raise KeysError(f"{name!r} is not a valid name for a key. Use 1 to 64 letters, digits, dots, dashes and underscores.")
    _write(file, [*(_lines(file) or [_HEADER]), key.line])
    return secret


def remove_key(file: Path, name: str) -> None:
    """Remove a key from the file.

    Raises:
        KeysError: the file cannot be used, or has no such key.
    """
    if all(key.name != name for key in read_keys(file)):
        raise KeysError(f"{file} has no key called {name!r}.")
    _write(file, [line for line in _lines(file) if line.split()[:1] != [name]])


def _parse(line: str) -> Key | None:
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    role = next((role for role in ROLES if role == match[2]), None)
    return None if role is None else Key(match[1], role, bytes.fromhex(match[3]))


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines(keepends=True) if file.exists() else []


def _write(file: Path, lines: list[str]) -> None:
    """Replace the file at once, so that no reader sees half of it; its permissions stay."""
    text = "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, prefix=f".{file.name}.", delete=False) as new:
            new.write(text)
        if file.exists():
            Path(new.name).chmod(file.stat().st_mode & 0o777)
        Path(new.name).replace(file)
    except OSError as error:
        raise KeysError(f"{file} cannot be written: {error}") from error
