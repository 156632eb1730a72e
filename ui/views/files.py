"""The results for many files: progress bar, summary, counts, table, CSV download, and times."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from ui.api.client import ServiceError, ServiceUnavailable
from ui.api.schemas import Classification
from ui.components import error_texts, file_summary, file_table, markup
from ui.components.notices import PICTURE_ERRORS
from ui.i18n.translation import translate
from ui.state import file_statistics
from ui.state.files import AS_SENT, BY_DOUBT, BY_NAME, ORDERS, BatchClassifier, FileResult, FileResults, PictureFile
from ui.state.session import Session
from ui.state.widget_state import OwnedWidget

# Failed files that the summary names.
MAX_NAMED_FILES: Final = 5


def show(classifier: BatchClassifier, files: Sequence[PictureFile], session: Session) -> None:
    """Classify the files that have no result yet, then show all results; new pictures are added to a gallery that saves.

    If the service stops answering, the results until then are shown with a button that classifies the rest.
    """
    results = FileResults.current()
    results.discard_except(files)
    with st.container(key="files"):
        placeholder, failure = st.empty(), None

        def progress(done: int, total: int) -> None:
            placeholder.progress(done / total, translate("files.progress", done=done, total=total))

        try:
            results.classify_missing(classifier, files, session.gallery, progress)
        except (ServiceUnavailable, ServiceError) as caught:
            failure = caught
        placeholder.empty()
        rows = results.rows(classifier, files)
        show_summary(rows, failure)
        if not classifier.model.card.is_sequence:  # each text is another
            st.html(file_summary.label_counts(file_statistics.count_labels(rows)))
        show_tools(results, rows, session, multi_label=classifier.model.card.output.multi_label)
        st.html(file_table.to_html(file_statistics.in_order(rows, results.order)))
        measured = file_statistics.measure(rows, results.requests(classifier, files))
        if measured:
            st.html(file_summary.performance(measured))


def show_summary(rows: Sequence[FileResult], failure: ServiceUnavailable | ServiceError | None) -> None:
    """Show how many files were classified, which were not, and a retry button after a failure that may not last."""
    classified = sum(isinstance(row.outcome, Classification) for row in rows)
    failed = [row.name for row in rows if row.outcome is not None and not isinstance(row.outcome, Classification)]
    text = translate("files.summary", classified=classified, total=len(rows))
    if failed:
        names = ", ".join(failed[:MAX_NAMED_FILES]) + (", …" if len(failed) > MAX_NAMED_FILES else "")
        text += " " + translate("files.failed", count=len(failed), names=names)
    st.html(f'<p class="muted">{markup.escape(text)}</p>')
    if failure is None:
        return
    lasting = isinstance(failure, ServiceError) and failure.code in PICTURE_ERRORS
    left = len(rows) - classified - len(failed)
    stopped = translate("files.refused", count=left) if lasting else translate("files.stopped", count=left)
    st.error(stopped, icon=":material/cloud_off:")
    if isinstance(failure, ServiceError):
        reason = error_texts.with_reference(error_texts.title_and_detail(failure), failure)
        st.html(f'<p class="muted">{markup.escape(reason)}</p>')
    if not lasting:
        st.button(translate("files.retry"), key="retry-files", icon=":material/refresh:")


def show_tools(results: FileResults, rows: Sequence[FileResult], session: Session, *, multi_label: bool) -> None:
    """Show the order of the table, the download and the removal of all files."""
    titles = {
        BY_DOUBT: translate("files.by_doubt"),
        AS_SENT: translate("files.as_sent"),
        BY_NAME: translate("files.by_name"),
    }

    def sort(order: str) -> None:
        results.order = order

    widget = OwnedWidget.showing("files-order", results.order)
    with st.container(key="files-tools", horizontal=True, vertical_alignment="center"):
        st.selectbox(
            translate("files.order"),
            ORDERS,
            ORDERS.index(results.order),
            format_func=titles.__getitem__,
            key=widget.key,
            label_visibility="collapsed",
            width=210,
            on_change=widget.on_change(sort),
        )
        csv, icon = file_table.to_csv(rows, multi_label=multi_label), ":material/download:"
        st.download_button(
            translate("files.csv"), csv, "answers.csv", "text/csv", key="csv", type="tertiary", icon=icon, on_click="ignore"
        )
        st.button(
            translate("files.remove_all", count=len(rows)),
            key="remove-files",
            type="tertiary",
            icon=":material/close:",
            on_click=session.remove_files,
        )
