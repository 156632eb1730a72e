"""Classification of many files: batches, retries, and results that are remembered."""

from collections.abc import Sequence

import httpx
import pytest

from tests.ui.fake_service import (
    JPEG,
    OTHER_PNG,
    PNG,
    WEBP,
    FakeService,
    batch_response,
    classification,
    problem_response,
    request_pictures,
)
from tests.ui.file_helpers import batch_sizes, make_files
from ui.api.client import Client, ServiceError, ServiceUnavailable
from ui.api.schemas import Classification, Model, ServiceLimits
from ui.state.files import MAX_FILES_PER_REQUEST, BatchClassifier, FileResults, PictureFile
from ui.state.session_gallery import SessionGallery

MODEL = Model(name="digits", version="1.0.0")
BROKEN = PictureFile.from_bytes("broken.png", b"no picture")


@pytest.fixture
def classifier(client: Client) -> BatchClassifier:
    return BatchClassifier(client, MODEL)


def classify_missing(
    results: FileResults,
    classifier: BatchClassifier,
    files: Sequence[PictureFile],
    gallery: SessionGallery | None = None,
) -> None:
    results.classify_missing(classifier, files, gallery, lambda _done, _total: None)


def test_batches_respect_all_limits(client: Client, classifier: BatchClassifier) -> None:
    files = make_files(40)
    assert [len(batch) for batch in classifier.batches(files)] == [MAX_FILES_PER_REQUEST, MAX_FILES_PER_REQUEST, 8]
    few = BatchClassifier(client, MODEL, limits=ServiceLimits(max_images=7))
    assert [len(batch) for batch in few.batches(files)] == [7] * 5 + [5]
    size = len(files[0].data) + 512
    small = BatchClassifier(client, MODEL, limits=ServiceLimits(max_batch_bytes=3 * size))
    assert [len(batch) for batch in small.batches(files)] == [3] * 13 + [1]
    assert [file for batch in small.batches(files) for file in batch] == files


def test_file_too_large_for_a_batch_is_sent_alone(client: Client) -> None:
    files = [*make_files(2), PictureFile.from_bytes("large.png", PNG * 99), *make_files(1)]
    classifier = BatchClassifier(client, MODEL, limits=ServiceLimits(max_batch_bytes=4 * len(PNG) + 2048))
    assert [len(batch) for batch in classifier.batches(files)] == [2, 1, 1]


def test_batch_answered_with_413_is_split_in_halves(classifier: BatchClassifier, service: FakeService) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        pictures = request_pictures(request)
        too_large = len(pictures) > 2 or WEBP in pictures
        return problem_response(413, "too_large", detail="Less.") if too_large else batch_response(request)

    service.replies["/classify/batch"] = reply
    outcomes = classifier.classify([PNG, JPEG, OTHER_PNG, WEBP, PNG])
    assert [isinstance(each, Classification) for each in outcomes] == [True, True, True, False, True]
    assert isinstance(outcomes[3], ServiceError)
    assert outcomes[3].code == "too_large"


def test_broken_file_does_not_affect_the_others(classifier: BatchClassifier, service: FakeService) -> None:
    files, results = [*make_files(5), BROKEN, *make_files(11)[5:]], FileResults()
    classify_missing(results, classifier, files)
    rows = results.rows(classifier, files)
    assert [isinstance(row.outcome, Classification) for row in rows] == [True] * 5 + [False] + [True] * 6
    assert batch_sizes(service) == [12]
    assert [row.name for row in rows if row.thumbnail is None] == ["broken.png"]


def test_results_are_remembered_by_content_model_and_device(
    client: Client, classifier: BatchClassifier, service: FakeService
) -> None:
    contents = {"a.png": PNG, "copy of a.png": PNG, "b.jpg": JPEG}
    results, files = FileResults(), [PictureFile.from_bytes(name, data) for name, data in contents.items()]
    on_cpu, letters = BatchClassifier(client, MODEL, "cpu"), BatchClassifier(client, Model(name="letters"))
    for each in (classifier, classifier, on_cpu, letters, classifier):
        classify_missing(results, each, files)
    assert batch_sizes(service) == [2, 2, 2]
    classify_missing(results, classifier, [*files, PictureFile.from_bytes("c.webp", WEBP)])
    classify_missing(results, BatchClassifier(client, Model(name="digits", version="1.1.0")), files)
    assert batch_sizes(service)[3:] == [1, 2]


def test_file_that_failed_is_not_sent_again(classifier: BatchClassifier, service: FakeService) -> None:
    results = FileResults()
    for _ in range(2):
        classify_missing(results, classifier, [BROKEN])
    assert batch_sizes(service) == [1]


def test_results_of_removed_files_are_discarded(classifier: BatchClassifier) -> None:
    results, files = FileResults(), make_files(3)
    classify_missing(results, classifier, files)
    results.discard_except(files[:1])
    assert (len(results.outcomes), len(results.thumbnails)) == (1, 1)


def test_after_an_outage_only_the_rest_is_sent(classifier: BatchClassifier, service: FakeService) -> None:
    results, files = FileResults(), make_files(MAX_FILES_PER_REQUEST + 4)
    service.replies["/classify/batch"] = lambda request: (
        batch_response(request) if len(service.requests) == 1 else problem_response(503, "unavailable")
    )
    with pytest.raises(ServiceUnavailable):
        classify_missing(results, classifier, files)
    has_outcome = [row.outcome is not None for row in results.rows(classifier, files)]
    assert has_outcome == [True] * MAX_FILES_PER_REQUEST + [False] * 4
    service.replies["/classify/batch"] = batch_response
    classify_missing(results, classifier, files)
    assert batch_sizes(service) == [MAX_FILES_PER_REQUEST, 4, 4]


def test_overloaded_picture_is_sent_again(classifier: BatchClassifier, service: FakeService) -> None:
    busy = {"type": "about:blank", "title": "Busy", "status": 429, "detail": "The queue is full.", "code": "overloaded"}
    service.replies["/classify/batch"] = lambda _: httpx.Response(200, json=[classification(), busy, classification()])
    results, files = FileResults(), make_files(3)
    with pytest.raises(ServiceError, match="The queue is full"):
        classify_missing(results, classifier, files)
    service.replies["/classify/batch"] = batch_response
    classify_missing(results, classifier, files)
    assert request_pictures(service.requests[-1]) == [files[1].data]


def test_classified_files_are_saved_only_while_saving_is_on(client: Client) -> None:
    files = [PictureFile.from_bytes("a.png", PNG), BROKEN, PictureFile.from_bytes("b.jpg", JPEG)]
    for saving, pending in ((False, []), (True, [PNG, JPEG])):
        gallery, results = SessionGallery(saving=saving), FileResults()
        for _ in range(2):
            classify_missing(results, BatchClassifier(client, MODEL, "cpu"), files, gallery)
        assert [entry.picture for entry in gallery.pending()] == pending
        assert all(entry.device == "cpu" and entry.thumbnail for entry in gallery.entries)
