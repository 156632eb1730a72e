"""Error messages in plain words."""

import re

import pytest

from ui.api.client import ServiceError
from ui.components import error_texts, notices


def service_error(status: int, title: str, detail: str, code: str) -> ServiceError:
    return ServiceError(status=status, title=title, detail=detail, code=code)


def test_unknown_error_has_a_general_title_and_the_service_s_detail() -> None:
    error = service_error(500, "Error", "The log says why.", "new_code")
    assert error_texts.title_and_detail(error) == "The service could not answer: The log says why."
    assert error_texts.detail(service_error(500, "Error", "", "")) == "Error"
    assert error_texts.advice(error) == "Try again in a moment."


@pytest.mark.parametrize(
    ("code", "text", "advice"),
    [
        ("too_large", "This picture is too large: Why.", "Send a smaller one."),
        ("unsupported_media", "This file is not a picture the service can read: Why.", "Save the picture as PNG or JPEG"),
        ("undecodable", "This picture is damaged: Why.", "Save it again"),
        ("no_ink", "There is nothing to read in this picture: Why.", "in clear contrast to its background"),
        ("overloaded", "Too many pictures at once: Why.", "Try again in a moment."),
    ],
)
def test_known_codes_have_their_own_title_and_advice(code: str, text: str, advice: str) -> None:
    error = service_error(400, "Title", "Why.", code)
    assert error_texts.title_and_detail(error) == text
    assert advice in error_texts.advice(error)


@pytest.mark.usefixtures("korean")
@pytest.mark.parametrize("code", ["unsupported_media", "overloaded", "new_code"])
def test_korean_page_has_the_service_s_english_under_details_only(code: str) -> None:
    error = service_error(415, "Unsupported", "This is HEIC. Convert it to JPEG.", code)
    alert = notices.alert(error_texts.advice(error), title=error_texts.title(error), details=error_texts.detail(error))
    visible, details = alert.split("<summary>자세히</summary>")
    assert "This is HEIC." in details
    assert not re.search("[a-z]{3}", re.sub("<[^>]*>", "", visible).replace("iPhone", ""))
