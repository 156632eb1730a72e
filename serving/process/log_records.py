"""Log records: their control characters are escaped, so that clients cannot forge log lines, and each knows the request that it
was written for."""

import logging
import traceback
from typing import Any

from models.terminal import printable
from serving.process.request_context import CURRENT


def use_escaped_records() -> None:
    """Escape line breaks and control characters in every log record of this process: paths, names and errors contain what
    clients sent, and `GET /x%0A...` would otherwise write a line of its own."""
    logging.setLogRecordFactory(EscapedRecord)


class EscapedRecord(logging.LogRecord):
    """A record whose message is one printable line. The lines of its traceback begin with two spaces, which no record does.
    ``request`` is the request that the code which wrote it works for."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.request = CURRENT.get()
        if isinstance(self.exc_info, tuple) and self.exc_info[0] is not None:
            lines = "".join(traceback.format_exception(*self.exc_info)).splitlines()
            self.exc_text = "\n".join(f"  {printable(line)}" for line in lines)

    def getMessage(self) -> str:  # noqa: N802 - the name is logging's
        """The message in one line."""
        return printable(super().getMessage().rstrip())
