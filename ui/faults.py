"""What went wrong, in a visitor's words; what the page does not know keeps the service's."""

from typing import Final

from ui import language
from ui.client import Problem, Unavailable
from ui.language import say

SERVICE_LANGUAGE: Final = "en"


def headline(failure: Problem) -> str:
    """Why the service refused."""
    known = {
        "too_large": say("faults.too_large"),
        "unsupported_media": say("faults.unsupported_media"),
        "undecodable": say("faults.undecodable"),
        "no_ink": say("faults.no_ink"),
        "unauthorized": say("faults.unauthorized"),
        "unknown_model": say("faults.unknown_model"),
        "device_unavailable": say("faults.device_unavailable"),
        "overloaded": say("faults.overloaded"),
        "deadline": say("faults.deadline"),
    }
    return known.get(failure.code, failure.title)


def explanation(failure: Problem) -> str:
    """What the service says of it, where that is more than the headline."""
    return "" if failure.detail == headline(failure) else failure.detail


def advice(failure: Problem) -> str:
    """What to do about it, where the service says so in another language than the page's."""
    return say("faults.convert") if failure.code == "unsupported_media" and language.current() != SERVICE_LANGUAGE else ""


def sentence(failure: Problem) -> str:
    """Headline and explanation."""
    return ": ".join(part for part in (headline(failure), explanation(failure)) if part)


def reason(failure: Unavailable) -> str:
    """Why there is no answer."""
    known = {
        "no answer in time": say("faults.no_answer"),
        "no connection": say("faults.no_connection"),
        "the connection broke off": say("faults.broken_off"),
        "what answers there is not the classifier service": say("faults.not_the_service"),
        "starting or draining": say("faults.starting"),
    }
    return known.get(failure.reason, failure.reason)
