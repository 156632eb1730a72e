"""Files and what they were taken for, as a table on the page and as a file for spreadsheets."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image

from ui import faults, markup
from ui.answers import Classification
from ui.client import Problem
from ui.language import say
from ui.pictures import preview

# Longest side of a thumbnail in pixels: twice what it is shown at, for fine screens.
SIDE: Final = 96
COLUMNS: Final = ("file", "label", "confidence", "rejected", "model", "version", "error")
# What makes a spreadsheet take a text for a formula, also as East Asian keyboards write it.
FORMULA: Final = tuple("=+-@\t\r\n＝＋－＠")


@dataclass(frozen=True, slots=True)
class Row:
    """One file: its name, what to show of it, and its answer, why it has none, or None before it was read."""

    name: str
    thumbnail: bytes | None
    outcome: Classification | Problem | None


def thumbnail(data: bytes) -> bytes | None:
    """A picture small enough for many in one table, or None where there is nothing to show."""
    shown = preview(data)
    if shown is None:
        return None
    image = Image.open(io.BytesIO(shown))
    image.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    image.save(file, "WEBP")
    return file.getvalue()


def html(rows: Sequence[Row]) -> str:
    """The table on the page: picture, file with what was wrong with it, label, confidence."""
    head = "".join(
        f"<th>{markup.text(name)}</th>" for name in ("", say("files.file"), say("files.label"), say("files.confidence"))
    )
    body = "".join(_row(row) for row in rows)
    return f'<div class="files"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def spreadsheet(rows: Sequence[Row]) -> bytes:
    """The table as CSV in UTF-8, marked as such for spreadsheets; a text that they would run is written as one they do not."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([harmless(cell) for cell in _cells(row)])
    return file.getvalue().encode("utf-8-sig")


def harmless(text: str) -> str:
    """The text, which no spreadsheet takes for a formula: a sign alone is none."""
    return f"'{text}" if len(text) > 1 and text.startswith(FORMULA) else text


def doubt(answer: Classification) -> str:
    """Why the label of a rejected picture is a guess."""
    return say("files.several") if answer.several else say("files.rejected")


def _row(row: Row) -> str:
    picture = markup.image(row.thumbnail, alt="") if row.thumbnail else ""
    if isinstance(row.outcome, Classification):
        label, share = row.outcome.label, markup.percent(row.outcome.confidence)
        note = _note("quiet", doubt(row.outcome)) if row.outcome.rejected else ""
    else:
        label, share = "–", ""
        note = _note("wrong", faults.sentence(row.outcome)) if row.outcome else _note("quiet", say("files.unread"))
    return (
        f'<tr data-label="{markup.text(label)}"><td>{picture}</td><td class="file">{markup.text(row.name)}{note}</td>'
        f'<td class="label">{markup.text(label)}</td><td class="share">{markup.text(share)}</td></tr>'
    )


def _note(kind: str, text: str) -> str:
    return f'<div class="{kind}">{markup.text(text)}</div>'


def _cells(row: Row) -> list[str]:
    answer = row.outcome
    if isinstance(answer, Classification):
        rejected = "true" if answer.rejected else "false"
        return [row.name, answer.label, f"{answer.confidence:.6g}", rejected, answer.model, answer.version, ""]
    return [row.name, "", "", "", "", "", faults.sentence(answer) if answer else say("files.unread")]
