"""Error messages of the page in the visitor's language."""

from ui.api.client import ServiceError, ServiceUnavailable
from ui.i18n.translation import translate


def title(error: ServiceError) -> str:
    """Return what went wrong, in a few words."""
    return _known_texts(error.code)[0]


def advice(error: ServiceError) -> str:
    """Return what to do."""
    return _known_texts(error.code)[1]


def detail(error: ServiceError) -> str:
    """Return what the service says, in its language."""
    return error.detail or error.title


def _known_texts(code: str) -> tuple[str, str]:
    """Return title and advice for an error code of the service; general ones for an unknown code."""
    later = translate("errors.try_later")
    known = {
        "too_large": (translate("errors.too_large"), translate("errors.send_smaller")),
        "unsupported_media": (translate("errors.unsupported_media"), translate("errors.convert")),
        "undecodable": (translate("errors.undecodable"), translate("errors.save_again")),
        "no_ink": (translate("errors.no_ink"), translate("errors.send_other")),
        "unauthorized": (translate("errors.unauthorized"), translate("errors.tell_operator")),
        "forbidden": (translate("errors.unauthorized"), translate("errors.tell_operator")),
        "unknown_model": (translate("errors.unknown_model"), translate("errors.choose_model")),
        "device_unavailable": (translate("errors.device_unavailable"), translate("errors.choose_device")),
        "overloaded": (translate("errors.overloaded"), later),
        "rate_limited": (translate("errors.overloaded"), later),
        "deadline": (translate("errors.deadline"), later),
    }
    return known.get(code, (translate("errors.other"), later))


def title_and_detail(error: ServiceError) -> str:
    """Return title and the service's detail in one line."""
    return f"{title(error)}: {detail(error)}" if detail(error) else title(error)


def with_reference(text: str, failure: ServiceError | ServiceUnavailable) -> str:
    """Return a text with the request id at its end, if there is one."""
    return f"{text} ({translate('errors.reference', id=failure.request_id)})" if failure.request_id else text


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
