"""A line of the audit log says how the change ended."""

import logging

import pytest

from serving.errors import Problem
from serving.middleware.audit import Actor, audited

ME = Actor("me", "127.0.0.1", "203.0.113.9")
WHO = "actor=me client=127.0.0.1 forwarded_for=203.0.113.9"


@pytest.fixture(autouse=True)
def at_info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "audit")


def test_a_change_that_was_made(caplog: pytest.LogCaptureFixture) -> None:
    with audited("gallery.correct", ME, entry="7") as details:
        details["label"] = 'x" outcome="failed'
    assert caplog.messages == [f'audit action=gallery.correct outcome=done {WHO} entry=7 label="x\\" outcome=\\"failed"']
    assert caplog.records[0].__dict__["fields"]["entry"] == "7"


def test_a_change_that_was_refused(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Problem), audited("models.reload", ME):
        raise Problem("not_updated", "No such model.")
    assert caplog.messages == [f'audit action=models.reload outcome=not_updated {WHO} reason="No such model."']


def test_a_change_that_failed(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(RuntimeError), audited("gallery.empty", ME):
        raise RuntimeError
    assert caplog.messages == [f"audit action=gallery.empty outcome=failed {WHO}"]
