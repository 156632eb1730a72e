"""The audit log: one line for everything that changes something, with who, what, which and the outcome."""

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple, TypeAlias

from models.terminal import printable
from serving.errors import Problem
from serving.process.log_format import AUDIT

logger = logging.getLogger(AUDIT)

Details: TypeAlias = dict[str, str | int | list[str] | None]

ANONYMOUS: Final = "anonymous"
DONE: Final = "done"
FAILED: Final = "failed"
PLAIN: Final = re.compile(r"[A-Za-z0-9._-]+")


class Actor(NamedTuple):
    """Who changes something: the name of an API key, or ``anonymous``, and the address of the client; behind a proxy also what
    the proxy, or the client, says in ``X-Forwarded-For``, which nobody has checked."""

    actor: str
    client: str
    forwarded_for: str = ""


@contextmanager
def audited(action: str, actor: Actor, **details: str | int | list[str] | None) -> Iterator[Details]:
    """Write a line when the block ends: its outcome is ``done``, the code of the ``Problem`` it raised, or ``failed``. The
    block may add to the details."""
    outcome = FAILED
    try:
        yield details
        outcome = DONE
    except Problem as problem:
        outcome = problem.code
        details["reason"] = problem.detail
        raise
    finally:
        write(action, outcome, actor, details)


def write(action: str, outcome: str, actor: Actor, details: Details) -> None:
    """Write a line of the audit log: in JSON with a field for each part, in text with all of them in the message."""
    who = {name: value for name, value in actor._asdict().items() if value}
    parts: Details = {"action": action, "outcome": outcome, **who, **details}
    text = " ".join(f"{name}={_shown(value)}" for name, value in parts.items())
    fields = {name: printable(value) if isinstance(value, str) else value for name, value in parts.items()}
    logger.info("audit %s", text, extra={"fields": fields})


def _shown(value: object) -> str:
    """A value, in quotes unless it is a plain word, so that none can be taken for another part of the line."""
    return value if isinstance(value, str) and PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
