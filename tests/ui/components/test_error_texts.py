"""Error messages in plain words."""

import pytest

from ui.api.client import ServiceError
from ui.components import error_texts, notices


def service_error(status: int, title: str, detail: str, code: str) -> ServiceError:
    return ServiceError(status=status, title=title, detail=detail, code=code)


def test_unknown_error_shows_the_service_s_title_and_detail() -> None:
    assert error_texts.title_and_detail(service_error(413, "Too large", "At most 8 MB", "x")) == "Too large: At most 8 MB"
    assert error_texts.title_and_detail(service_error(500, "Error", "", "")) == "Error"
    assert error_texts.title_and_detail(service_error(500, "Error", "Error", "")) == "Error"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("too_large", "This picture is too large: Why."),
        ("unsupported_media", "This file is not a picture the service can read: Why."),
        ("undecodable", "This picture is damaged: Why."),
        ("no_ink", "There is nothing to read in this picture: Why."),
        ("new_code", "Title: Why."),
    ],
)
def test_known_codes_have_their_own_title(code: str, text: str) -> None:
    assert error_texts.title_and_detail(service_error(400, "Title", "Why.", code)) == text


@pytest.mark.usefixtures("korean")
def test_titles_in_korean() -> None:
    assert "서비스에 요청이 너무 많습니다" in error_texts.title_and_detail(service_error(429, "Busy", "", "overloaded"))


@pytest.mark.usefixtures("korean")
def test_korean_page_adds_korean_advice_to_an_english_detail() -> None:
    error = service_error(415, "", "This is HEIC. Convert it to JPEG.", "unsupported_media")
    text = notices.alert(error_texts.detail(error), title=error_texts.title(error), advice=error_texts.advice(error))
    assert "This is HEIC. Convert it to JPEG." in text and "JPEG로 저장해서" in text
