"""The results for many files as an HTML table and as CSV."""

import csv
import io
from collections.abc import Sequence
from typing import Final

from ui.api.schemas import Classification
from ui.components import error_texts, labels, markup
from ui.i18n.translation import translate
from ui.state.files import FileResult

COLUMNS: Final = ("file", "label", "confidence", "rejected", "model", "version", "error")
# The further column of a multi-label model, with all labels that apply.
LABELS_COLUMN: Final = "labels"
# Spreadsheets treat a cell that begins with one of these as a formula, also in full width as East Asian keyboards type them.
FORMULA_PREFIXES: Final = tuple("=+-@\t\r\n＝＋－＠")


def to_html(rows: Sequence[FileResult]) -> str:
    """Return the table: picture, file name with the error if any, label, confidence."""
    names = ("", translate("files.file"), translate("files.label"), translate("files.confidence"))
    head = "".join(f"<th>{markup.escape(name)}</th>" for name in names)
    body = "".join(_html_row(row) for row in rows)
    return f'<div class="files"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


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


def _html_row(row: FileResult) -> str:
    picture = markup.image(row.thumbnail, alt="") if row.thumbnail else ""
    if isinstance(row.outcome, Classification):
        label, confidence = labels.joined(row.outcome), labels.confidence(row.outcome)
        note = _note("muted", rejection_text(row.outcome)) if row.outcome.rejected else ""
    else:
        label, confidence = "–", ""
        if row.outcome:
            note = _note("error", error_texts.title_and_detail(row.outcome))
        else:
            note = _note("muted", translate("files.not_classified"))
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
    error = error_texts.title_and_detail(outcome) if outcome else translate("files.not_classified")
    return [row.name, "", "", "", "", "", error]


def _labels_cell(row: FileResult) -> str:
    outcome = row.outcome
    return "; ".join(each.label for each in outcome.predicted_labels) if isinstance(outcome, Classification) else ""
