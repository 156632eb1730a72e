"""The results for many files as an HTML table and as CSV."""

import csv
import io
from collections.abc import Sequence
from math import ceil
from typing import Final

from ui.api.client import ServiceError
from ui.api.schemas import Classification
from ui.components import error_texts, file_limit, labels, markup
from ui.i18n.translation import translate
from ui.state.files import FileRefusal, FileResult

COLUMNS: Final = ("file", "label", "confidence", "rejected", "model", "version", "error")
# The further column of a multi-label model, with all labels that apply.
LABELS_COLUMN: Final = "labels"
# Spreadsheets treat a cell that begins with one of these as a formula, also in full width as East Asian keyboards type them.
FORMULA_PREFIXES: Final = tuple("=+-@\t\r\n＝＋－＠")


def to_html(rows: Sequence[FileResult]) -> str:
    """Return the table: picture, file name with the reason if there is no answer, label, confidence."""
    columns = (translate("files.picture"), translate("files.file"), translate("files.label"), translate("files.confidence"))
    head = "".join(f'<th scope="col">{markup.escape(name)}</th>' for name in columns)
    body = "".join(_html_row(row) for row in rows)
    caption = markup.escape(translate("files.caption", count=len(rows)))
    # The box scrolls, so that it must be reachable with the keyboard.
    return (
        f'<div class="files" tabindex="0" role="region" aria-label="{caption}"><table><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def to_csv(rows: Sequence[FileResult], *, multi_label: bool = False) -> bytes:
    """Return the table as CSV in UTF-8 with a byte order mark. Cells that look like formulas are escaped.

    `label` and `confidence` are the most probable label and its probability, as the service answers, also for a multi-label
    model.
    """
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([*COLUMNS, *([LABELS_COLUMN] if multi_label else [])])
    for row in rows:
        cells = [*_csv_cells(row), *([_labels_cell(row)] if multi_label else [])]
        writer.writerow([escape_formula(cell) for cell in cells])
    return file.getvalue().encode("utf-8-sig")


def escape_formula(text: str) -> str:
    """Prefix a text with an apostrophe if a spreadsheet would treat it as a formula. A single sign is no formula."""
    return f"'{text}" if len(text) > 1 and text.startswith(FORMULA_PREFIXES) else text


def rejection_text(classification: Classification) -> str:
    """Return why the label of a rejected picture is only a guess."""
    return translate("files.several") if classification.several_characters else translate("files.rejected")


def reason(outcome: ServiceError | FileRefusal | None) -> str:
    """Return why a file has no answer, and what to do."""
    if outcome is None:
        return translate("files.not_classified")
    if isinstance(outcome, ServiceError):
        advice = error_texts.advice(outcome) or error_texts.detail(outcome)
        return f"{error_texts.title(outcome)}. {advice}" if advice else error_texts.title(outcome)
    if outcome.reason == "empty":
        return translate("files.empty")
    return translate("files.too_large", size=megabytes(outcome.size), limit=file_limit.max_file_megabytes())


def megabytes(size: int) -> str:
    """Return a size in megabytes (2^20 bytes), rounded up to one decimal, so that it is never below a limit it exceeds."""
    return f"{ceil(size / 2**20 * 10) / 10:,.1f}"


def _html_row(row: FileResult) -> str:
    picture = markup.image(row.thumbnail, alt="") if row.thumbnail else ""
    if isinstance(row.outcome, Classification):
        label, confidence = labels.joined(row.outcome), labels.confidence(row.outcome)
        note = _note("muted", rejection_text(row.outcome)) if row.outcome.rejected else ""
    else:
        label, confidence = "–", ""
        note = _note("error" if row.outcome else "muted", reason(row.outcome))
    return (
        f'<tr data-label="{markup.escape(label)}"><td>{picture}</td><td class="file">{markup.escape(row.name)}{note}</td>'
        f'<td class="label">{markup.escape(label)}</td><td class="confidence">{markup.escape(confidence)}</td></tr>'
    )


def _note(kind: str, text: str) -> str:
    return f'<div class="{kind}">{markup.escape(text)}</div>'


def _csv_cells(row: FileResult) -> list[str]:
    outcome = row.outcome
    if isinstance(outcome, Classification):
        rejected = "true" if outcome.rejected else "false"
        return [row.name, outcome.label, f"{outcome.confidence:.6g}", rejected, outcome.model, outcome.version, ""]
    return [row.name, "", "", "", "", "", reason(outcome)]


def _labels_cell(row: FileResult) -> str:
    outcome = row.outcome
    return "; ".join(each.label for each in outcome.predicted_labels) if isinstance(outcome, Classification) else ""
