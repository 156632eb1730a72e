"""Saving the drawings of a challenge: only when asked, with the labels that were asked for, and none twice."""

from tests.ui.fake_service import OTHER_PNG, PNG, FakeGallery, FakeService
from tests.ui.gallery_helpers import gallery_of
from ui.api.client import Client, ServiceUnavailable
from ui.api.schemas import Model
from ui.state.challenge import Attempt, Challenge
from ui.state.challenge_session import ChallengeSession

ATTEMPTS = [Attempt("7", 3.0, PNG, solved=True), Attempt("4", 5.0, OTHER_PNG, solved=False)]


def test_drawings_are_saved_with_the_labels_that_were_asked_for(service: FakeService, client: Client) -> None:
    service.gallery = FakeGallery()
    challenge = ChallengeSession(Challenge(["4", "7"]), Model(name="digits"), "cpu")
    challenge.save(client, ATTEMPTS)
    assert (challenge.saved, challenge.failure) == (2, None)
    assert [entry["corrected"] for entry in service.gallery.entries.values()] == ["7", "4"]
    saved = [request for request in service.requests_to("/gallery") if request.method == "POST"]
    assert [(request.content, request.url.params["device"]) for request in saved] == [(PNG, "cpu"), (OTHER_PNG, "cpu")]


def test_saving_goes_on_where_it_stopped(service: FakeService, client: Client) -> None:
    service.gallery = FakeGallery()
    challenge = ChallengeSession(Challenge(["4", "7"]), Model(name="digits"), "cpu")
    challenge.save(client, ATTEMPTS[:1])
    service.down = True
    challenge.save(client, ATTEMPTS)
    assert challenge.saved == 1
    assert isinstance(challenge.failure, ServiceUnavailable)
    service.down = False
    challenge.save(client, ATTEMPTS)
    assert challenge.saved == 2
    assert len(gallery_of(service).entries) == 2
