"""Error messages of the page in the visitor's language. Unknown errors keep the service's English text."""

from typing import Final

from ui.api.client import ServiceError, ServiceUnavailable
from ui.i18n.translation import current_language, translate

SERVICE_LANGUAGE: Final = "en"


def title(error: ServiceError) -> str:
    """Return what went wrong, in a few words."""
    known = {
        "too_large": translate("errors.too_large"),
        "unsupported_media": translate("errors.unsupported_media"),
        "undecodable": translate("errors.undecodable"),
        "no_ink": translate("errors.no_ink"),
        "unauthorized": translate("errors.unauthorized"),
        "unknown_model": translate("errors.unknown_model"),
        "device_unavailable": translate("errors.device_unavailable"),
        "overloaded": translate("errors.overloaded"),
        "deadline": translate("errors.deadline"),
    }
    return known.get(error.code, error.title)


def detail(error: ServiceError) -> str:
    """Return the service's detail if it says more than the title."""
    return "" if error.detail == title(error) else error.detail


def advice(error: ServiceError) -> str:
    """Return what to do, if the page has another language than the service: the service's detail says it in English."""
    other_language = current_language() != SERVICE_LANGUAGE
    return translate("errors.convert") if error.code == "unsupported_media" and other_language else ""


def title_and_detail(error: ServiceError) -> str:
    """Return title and detail in one line."""
    return ": ".join(part for part in (title(error), detail(error)) if part)


def unavailable_reason(failure: ServiceUnavailable) -> str:
    """Return why the service does not answer."""
    known = {
        "no answer in time": translate("errors.no_answer"),
        "no connection": translate("errors.no_connection"),
        "the connection was closed": translate("errors.connection_closed"),
        "another program answers at this address": translate("errors.other_service"),
        "starting or shutting down": translate("errors.starting"),
    }
    return known.get(failure.reason, failure.reason)
