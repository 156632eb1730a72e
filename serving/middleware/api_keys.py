"""API keys: who may do what. A file holds their hashes; ``python -m serving.keys`` adds, lists and removes them.

A key is 256 random bits. Nobody guesses one, with the hash or without, so that plain SHA-256 keeps it: slow and salted hashes
are for passwords, which people choose, and would cost every request more than its inference.
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
ROLES: Final[tuple[Role, ...]] = get_args(Role)  # each may do what those before it may, and more
KEY_BYTES: Final = 32
# Others may write none of it, and those outside the file's group not even read it.
TOO_OPEN: Final = 0o027

_LINE: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63})\s+(\S+)\s+([0-9a-f]{64})")
_HEADER: Final = "# Keys of the API: name, role, SHA-256 of the key. python -m serving.keys adds and removes them.\n"


class KeysError(Exception):
    """The file of keys cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Key:
    """Whom a key was given to, what it allows, and the SHA-256 of it."""

    name: str
    role: Role
    digest: bytes

    def allows(self, role: Role) -> bool:
        """Whether it opens what ``role`` is needed for."""
        return ROLES.index(self.role) >= ROLES.index(role)

    @property
    def line(self) -> str:
        """As the file has it."""
        return f"{self.name} {self.role} {self.digest.hex()}\n"


def digest(secret: bytes) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(secret).digest()


def find(keys: Iterable[Key], secret: bytes) -> Key | None:
    """The key that ``secret`` is, if any; which one it is, and how near it comes, takes the same time."""
    presented, found = digest(secret), None
    for key in keys:
        if hmac.compare_digest(presented, key.digest):
            found = key
    return found


def read_keys(file: Path) -> list[Key]:
    """The keys of a file: on every line a name, a role and a hash; empty lines and lines with # are passed over.

    Raises:
        KeysError: it cannot be read, or a line is not like that.
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
            raise KeysError(
                f"{file}, line {number}: there is a key called {key.name!r} already. Give every key a name of its own."
            )
        keys[key.name] = key
    return list(keys.values())


def warnings(file: Path, keys: Sequence[Key]) -> list[str]:
    """What somebody should know about a file of keys that can be used."""
    told = []
    if file.stat().st_mode & TOO_OPEN:
        told.append(f"{file} is open to more users than it should be: whoever writes it opens the API. Run chmod 600 on it.")
    if not keys:
        told.append(f"{file} holds no key: all requests but those for health are refused. Run python -m serving.keys add NAME.")
    return told


def add_key(file: Path, name: str, role: Role) -> str:
    """Add a new key to the file, which is made when it is not there; the key is returned, and known to nobody else.

    Raises:
        KeysError: the file cannot be used, or there is a key of that name.
    """
    keys = read_keys(file) if file.exists() else []
    if any(key.name == name for key in keys):
        raise KeysError(f"There is a key called {name!r} already. Choose another name, or remove that one first.")
    secret = secrets.token_hex(KEY_BYTES)
    key = Key(name, role, digest(secret.encode()))
    if _parse(key.line.strip()) != key:
        raise KeysError(f"{name!r} is no name for a key. Take 1 to 64 letters, digits, dots, dashes and underscores.")
    _write(file, [*(_lines(file) or [_HEADER]), key.line])
    return secret


def remove_key(file: Path, name: str) -> None:
    """Take a key out of the file.

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
    """Put a whole new file in the place of the old, so that nobody reads half of one; it stays as open as it was."""
    text = "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, prefix=f".{file.name}.", delete=False) as new:
            new.write(text)
        if file.exists():
            Path(new.name).chmod(file.stat().st_mode & 0o777)
        Path(new.name).replace(file)
    except OSError as error:
        raise KeysError(f"{file} cannot be written: {error}") from error
