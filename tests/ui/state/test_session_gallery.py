"""The session's gallery: its entries, and saving them with the service."""

import httpx
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.ui.fake_service import JPEG, OTHER_PNG, PNG, WEBP, FakeGallery, FakeService, gallery_entry, problem_response
from tests.ui.gallery_helpers import FakeClock, gallery_of, labels, make_classification
from ui.api.client import Client
from ui.state import session_gallery
from ui.state.deletions import RETRY_SECONDS, UNDO_SECONDS, deletions_of
from ui.state.session_gallery import MAX_PICTURES, SessionGallery


@pytest.fixture
def service() -> FakeService:
    return FakeService(gallery=FakeGallery())


def test_drawing_with_more_strokes_keeps_one_entry() -> None:
    gallery = SessionGallery()
    gallery.add(0, b"one stroke", None, make_classification("1"))
    gallery.add(1, b"another", None, make_classification("3"))
    gallery.add(0, b"two strokes", None, make_classification("7"))
    assert labels(gallery) == ["3", "7"]


def test_same_picture_has_one_entry() -> None:
    gallery = SessionGallery()
    gallery.add(0, PNG, None, make_classification("7"))
    gallery.add(1, PNG, None, make_classification("7"))
    assert labels(gallery) == ["7"]


def test_files_are_identified_by_content() -> None:
    gallery = SessionGallery()
    for picture, label, version in ((JPEG, "1", "1"), (WEBP, "2", "1"), (JPEG, "3", "2")):
        gallery.add(None, picture, None, make_classification(label, version=version))
    assert labels(gallery) == ["2", "3"]


def test_answer_of_another_model_replaces_the_entry() -> None:
    gallery = SessionGallery()
    for model in ("digits", "letters", "digits"):
        gallery.add(0, PNG, None, make_classification("7", model=model))
        assert [entry.classification.model for entry in gallery.entries] == [model]


def test_oldest_entries_are_dropped() -> None:
    gallery = SessionGallery()
    for number in range(MAX_PICTURES + 3):
        gallery.add(number, str(number).encode(), None, make_classification("7"))
    assert [entry.drawing_number for entry in gallery.entries] == list(range(MAX_PICTURES + 2, 2, -1))


def test_pending_entries_are_not_dropped() -> None:
    gallery = SessionGallery()
    gallery.set_saving(True)
    for number in range(MAX_PICTURES + 3):
        gallery.add(number, str(number).encode(), None, make_classification("7"))
    assert len(gallery.pending()) == MAX_PICTURES + 3
    gallery.set_saving(False)
    gallery.add(99, PNG, None, make_classification("7"))
    assert len(gallery.entries) == MAX_PICTURES


def test_oldest_picture_bytes_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_gallery, "MAX_HELD_BYTES", 25)
    gallery = SessionGallery()
    for number in range(3):
        gallery.add(number, bytes([number]) * 10, None, make_classification("7"))
    assert [len(entry.picture or b"") for entry in gallery.entries] == [10, 10, 0]


def test_removed_entry_does_not_return_on_a_rerun() -> None:
    gallery = SessionGallery()
    gallery.add(0, PNG, None, make_classification("7"))
    gallery.clear()
    gallery.add(0, PNG, None, make_classification("7"))
    assert labels(gallery) == []
    gallery.add(0, OTHER_PNG, None, make_classification("4"))
    assert labels(gallery) == ["4"]


def test_nothing_is_sent_while_saving_is_off(client: Client, service: FakeService) -> None:
    gallery = SessionGallery()
    gallery.add(0, PNG, None, make_classification("7"))
    gallery.save_pending(client)
    assert service.requests == []


def test_every_new_answer_is_saved_once(client: Client, service: FakeService) -> None:
    gallery = SessionGallery()
    gallery.add(0, b"before", None, make_classification("1"))
    gallery.set_saving(True)
    for picture in (b"one stroke", PNG):
        gallery.add(1, picture, None, make_classification("7"), "cpu")
        gallery.save_pending(client)
        gallery.add(1, picture, None, make_classification("7"), "cpu")
        gallery.save_pending(client)
    gallery.add(None, JPEG, None, make_classification("7", model="letters"))
    gallery.save_pending(client)
    first, again, file = service.requests
    assert [request.content for request in (first, again, file)] == [b"one stroke", PNG, JPEG]
    assert first.url.params["key"] == again.url.params["key"] != file.url.params["key"]
    assert (again.url.params["device"], file.url.params["model"]) == ("cpu", "letters")
    assert len(gallery_of(service).entries) == 2
    assert labels(gallery) == ["1"]


def test_keys_are_valid_and_differ_between_sessions(client: Client, service: FakeService) -> None:
    for _ in range(2):
        gallery = SessionGallery(saving=True)
        gallery.add(0, PNG, None, make_classification("7"))
        gallery.add(None, JPEG, None, make_classification("7"))
        gallery.save_pending(client)
    keys = [request.url.params["key"] for request in service.requests]
    assert len(set(keys)) == 4
    for key in keys:
        assert 1 <= len(key) <= 64
        assert key.replace("-", "").isalnum()
        assert key.isascii()


def test_deleted_picture_is_not_saved_again_until_the_drawing_changes(client: Client, service: FakeService) -> None:
    gallery = SessionGallery(saving=True)
    gallery.add(0, PNG, None, make_classification("7"))
    gallery.save_pending(client)
    gallery_of(service).entries.clear()
    gallery.add(0, PNG, None, make_classification("7"))
    gallery.save_pending(client)
    assert gallery_of(service).entries == {}
    gallery.add(0, OTHER_PNG, None, make_classification("4"))
    gallery.save_pending(client)
    assert len(gallery_of(service).entries) == 1


def test_one_picture_is_saved_on_request(client: Client, service: FakeService) -> None:
    gallery = SessionGallery()
    gallery.add(0, PNG, None, make_classification("7"))
    gallery.add(1, OTHER_PNG, None, make_classification("4"))
    gallery.request_save(gallery.entries[1].number)
    gallery.save_pending(client)
    assert [request.content for request in service.requests] == [PNG]
    assert labels(gallery) == ["4"]


@pytest.mark.parametrize("outage", ["service", "database", "overload"])
def test_failed_saves_stay_pending_and_are_retried(outage: str, client: Client, service: FakeService, clock: FakeClock) -> None:
    gallery = SessionGallery(saving=True)
    for number, picture in enumerate((PNG, OTHER_PNG)):
        gallery.add(number, picture, None, make_classification("7"))
    service.down, gallery_of(service).database_down = outage == "service", outage == "database"
    if outage == "overload":
        service.replies["/gallery"] = lambda _: problem_response(429, "overloaded")
    gallery.save_pending(client)
    gallery.save_pending(client)
    assert len(service.requests) == 1  # neither the second picture nor a second attempt is sent during an outage
    assert len(gallery.pending()) == 2
    assert gallery.failure is not None

    service.down = gallery_of(service).database_down = False
    service.replies.pop("/gallery", None)
    gallery.save_pending(client)
    assert len(service.requests) == 1
    clock.now += RETRY_SECONDS
    gallery.save_pending(client)
    assert [request.content for request in service.requests[1:]] == [PNG, OTHER_PNG]
    assert gallery.entries == []
    assert gallery.failure is None


def test_turning_saving_off_cancels_pending_saves(client: Client, service: FakeService, clock: FakeClock) -> None:
    gallery = SessionGallery(saving=True)
    gallery.add(0, PNG, None, make_classification("7"))
    service.down = True
    gallery.save_pending(client)
    gallery.set_saving(False)
    service.down = False
    clock.now += RETRY_SECONDS
    gallery.save_pending(client)
    assert len(service.requests) == 1
    assert labels(gallery) == ["7"]


def test_refused_picture_keeps_the_reason_and_others_are_saved(service: FakeService, client: Client) -> None:
    full = problem_response(413, "too_large", "Too large", "The gallery is full.")
    service.replies["/gallery"] = lambda request: full if request.content == JPEG else gallery_of(service)(request)
    gallery = SessionGallery(saving=True)
    gallery.add(None, JPEG, None, make_classification("1"))
    gallery.add(None, PNG, None, make_classification("7"))
    gallery.save_pending(client)
    (refused,) = gallery.entries
    assert (refused.classification.label, refused.refusal, refused.save_requested) == ("1", "The gallery is full.", False)
    gallery.save_pending(client)
    assert len(service.requests) == 2
    gallery.request_save(refused.number)
    gallery.save_pending(client)
    assert len(service.requests) == 3


def test_same_drawing_twice_has_one_entry() -> None:
    gallery = SessionGallery()
    for drawing_number in (0, 1):
        for picture in (b"one stroke", b"two strokes"):
            gallery.add(drawing_number, picture, None, make_classification("7"))
    assert [entry.drawing_number for entry in gallery.entries] == [1]


def test_drawing_uploaded_and_continued_has_one_entry_for_each_content() -> None:
    gallery = SessionGallery()
    gallery.add(0, PNG, None, make_classification("7"))
    gallery.add(None, PNG, None, make_classification("7"))
    gallery.add(0, OTHER_PNG, None, make_classification("4"))
    gallery.add(0, PNG, None, make_classification("7"))
    assert labels(gallery) == ["7"]


def test_drawing_on_the_canvas_again_keeps_its_entry() -> None:
    gallery, strokes = SessionGallery(), ({"path": [["M", 1, 2]], "strokeWidth": 20, "stroke": "#000000"},)
    gallery.add(0, PNG, None, make_classification("7"), strokes=strokes)
    gallery.add(1, OTHER_PNG, None, make_classification("4"), strokes=({"path": [["M", 1, 3]], "strokeWidth": 20},))
    gallery.add(2, PNG + b"painted anew", None, make_classification("7"), strokes=tuple(dict(each) for each in strokes))
    gallery.add(2, PNG + b"one more", None, make_classification("1"), strokes=(*strokes, *strokes))
    assert labels(gallery) == ["4", "1"]


def test_requested_save_survives_another_answer_to_the_same_picture() -> None:
    gallery = SessionGallery()
    gallery.add(0, PNG, None, make_classification("7"))
    gallery.request_save(gallery.entries[0].number)
    gallery.add(0, PNG, None, make_classification("7", model="letters"))
    assert len(gallery.pending()) == 1
    gallery.add(0, OTHER_PNG, None, make_classification("4"))
    assert gallery.pending() == []  # the visitor asked for the other picture


def test_removed_pictures_return_when_undone(clock: FakeClock) -> None:
    gallery = SessionGallery()
    for number, picture in enumerate((JPEG, PNG)):
        gallery.add(number, picture, None, make_classification(str(number)))
    gallery.clear()
    gallery.add(2, OTHER_PNG, None, make_classification("2"))
    clock.now += UNDO_SECONDS - 1
    assert gallery.can_restore
    gallery.restore()
    assert labels(gallery) == ["2", "1", "0"]
    gallery.clear()
    clock.now += UNDO_SECONDS
    gallery.restore()
    assert labels(gallery) == []


def test_removed_pictures_are_not_saved_by_undoing_after_saving_was_turned_off() -> None:
    gallery = SessionGallery(saving=True)
    gallery.add(0, PNG, None, make_classification("7"))
    gallery.clear()
    gallery.set_saving(False)
    gallery.restore()
    assert (labels(gallery), gallery.pending()) == (["7"], [])


def test_drawing_that_goes_on_after_its_deletion_is_kept(client: Client, service: FakeService) -> None:
    gallery = SessionGallery(saving=True)
    gallery.add(0, PNG, None, make_classification("7"))
    gallery.save_pending(client)
    (id,) = gallery_of(service).entries
    gallery.saved.delete(client, id)
    gallery.add(0, OTHER_PNG, None, make_classification("4"))
    gallery.save_pending(client)
    deletions_of(client).finish()
    assert list(gallery_of(service).entries) == [id]


def test_picture_saved_after_deleting_all_is_kept(client: Client, service: FakeService) -> None:
    gallery = SessionGallery(saving=True)
    gallery_of(service).entries["old"] = gallery_entry("old")
    gallery.saved.delete(client, None)
    gallery.add(0, PNG, None, make_classification("7"))
    gallery.save_pending(client)
    deletions_of(client).finish()
    assert len(gallery_of(service).entries) == 1
    assert "old" not in gallery_of(service).entries


def test_correction_made_in_the_gallery_survives_another_answer(client: Client, service: FakeService) -> None:
    gallery = SessionGallery(saving=True)
    gallery.add(0, PNG, None, make_classification("7"))
    gallery.save_pending(client)
    (entry,) = gallery_of(service).entries.values()
    client.correct(entry["id"], "1")
    service.replies["/gallery"] = lambda _: httpx.Response(200, json=entry | {"corrected": "1"})
    gallery.add(0, PNG, None, make_classification("7"), "cpu")
    gallery.save_pending(client)
    assert [request.method for request in service.requests].count("PATCH") == 1


class GalleryMachine(RuleBasedStateMachine):
    """Whatever is drawn, uploaded, removed and saved, all entries differ in number, drawing and content."""

    def __init__(self) -> None:
        super().__init__()
        self.gallery = SessionGallery()
        self.service = FakeService(gallery=FakeGallery())
        self.client = Client("http://127.0.0.1:3999", transport=httpx.MockTransport(self.service))

    @rule(drawing_number=st.none() | st.integers(0, 2), content=st.binary(min_size=1, max_size=1), model=st.sampled_from("ab"))
    def add(self, drawing_number: int | None, content: bytes, model: str) -> None:
        picture = bytes([content[0] % 4])
        self.gallery.add(drawing_number, picture, None, make_classification("7", model=model))

    @rule()
    def clear(self) -> None:
        self.gallery.clear()

    @rule()
    def restore(self) -> None:
        self.gallery.restore()

    @rule(saving=st.booleans())
    def set_saving(self, saving: bool) -> None:
        self.gallery.set_saving(saving)

    @precondition(lambda self: self.gallery.entries)
    @rule(data=st.data())
    def request_save(self, data: st.DataObject) -> None:
        self.gallery.request_save(data.draw(st.sampled_from([entry.number for entry in self.gallery.entries])))

    @rule(down=st.booleans())
    def save_pending(self, down: bool) -> None:
        self.service.down = down
        self.gallery.save_pending(self.client)

    @invariant()
    def entries_differ(self) -> None:
        entries = self.gallery.entries
        for values in ([e.number for e in entries], [e.key for e in entries], [e.digest for e in entries]):
            assert len(set(values)) == len(values)

    def teardown(self) -> None:
        self.client.close()


TestGalleryMachine = GalleryMachine.TestCase
TestGalleryMachine.settings = settings(max_examples=50, stateful_step_count=20, deadline=None)
