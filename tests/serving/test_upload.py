import pytest

from serving.errors import Problem
from serving.schemas import parse_options


def test_options_come_plain_quoted_empty_and_with_strangers() -> None:
    options = parse_options({"model": '"digits"', "top_k": "5", "device": "", "utm_source": "mail"}, "letters")
    assert options.model_dump() == {"model": "digits", "top_k": 5, "device": "auto"}


def test_the_default_model_is_asked_when_none_is_named() -> None:
    for options in ({}, {"model": ""}, {"top_k": "1"}):
        assert parse_options(options, "letters").model == "letters"


@pytest.mark.parametrize(
    ("name", "value"), [("top_k", "0"), ("top_k", "many"), ("top_k", "1001"), ("device", "tpu"), ("model", "x" * 64)]
)
def test_bad_options_are_named(name: str, value: str) -> None:
    with pytest.raises(Problem, match=name) as refused:
        parse_options({name: value}, "digits")
    assert refused.value.code == "bad_request"
