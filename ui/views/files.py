"""The results for many files: progress bar, summary, table and CSV download."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from ui.api.client import ServiceError, ServiceUnavailable
from ui.api.schemas import Classification
from ui.components import error_texts, file_table, markup
from ui.i18n.translation import translate
from ui.state.files import BatchClassifier, FileResult, FileResults, PictureFile
from ui.state.session_gallery import SessionGallery

# Failed files that the summary names.
MAX_NAMED_FILES: Final = 5


def show(classifier: BatchClassifier, files: Sequence[PictureFile], gallery: SessionGallery | None = None) -> None:
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
            results.classify_missing(classifier, files, gallery, progress)
        except (ServiceUnavailable, ServiceError) as caught:
            failure = caught
        placeholder.empty()
        rows = results.rows(classifier, files)
        show_summary(rows, failure)
        st.html(file_table.to_html(rows))
        multi_label = classifier.model.card.output.multi_label
        csv, icon = file_table.to_csv(rows, multi_label=multi_label), ":material/download:"
        st.download_button(translate("files.csv"), csv, "answers.csv", "text/csv", key="csv", icon=icon, on_click="ignore")


def show_summary(rows: Sequence[FileResult], failure: ServiceUnavailable | ServiceError | None) -> None:
    """Show how many files were classified, which failed, and a retry button after a failure."""
    classified = sum(isinstance(row.outcome, Classification) for row in rows)
    failed = [row.name for row in rows if isinstance(row.outcome, ServiceError)]
    text = translate("files.summary", classified=classified, total=len(rows))
    if failed:
        names = ", ".join(failed[:MAX_NAMED_FILES]) + (", …" if len(failed) > MAX_NAMED_FILES else "")
        text += " " + translate("files.failed", count=len(failed), names=names)
    st.html(f'<p class="muted">{markup.escape(text)}</p>')
    if failure is None:
        return
    st.error(translate("files.stopped", count=len(rows) - classified - len(failed)), icon=":material/cloud_off:")
    if isinstance(failure, ServiceError):
        st.html(f'<p class="muted">{markup.escape(error_texts.title_and_detail(failure))}</p>')
    st.button(translate("files.retry"), key="retry-files", icon=":material/refresh:")
