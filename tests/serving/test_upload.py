import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from serving.errors import Problem
from serving.schemas import parse_options
from serving.upload import MAX_PARTS, parse_multipart

BOUNDARY = b"edge"


def multipart(*parts: tuple[bytes, bytes]) -> bytearray:
    """A multipart body of (headers, data) pairs."""
    body = b"".join(b"--edge\r\n" + headers + b"\r\n\r\n" + data + b"\r\n" for headers, data in parts)
    return bytearray(body + b"--edge--\r\n")


FILE = b'Content-Disposition: form-data; name="image"; filename="7.png"\r\nContent-Type: image/png'
TEXT = b'Content-Disposition: form-data; name="model"'


@given(st.binary(max_size=2000).filter(lambda data: b"--edge" not in data))
def test_data_comes_out_as_it_went_in(data: bytes) -> None:
    (part,) = parse_multipart(multipart((FILE, data)), BOUNDARY)
    assert part.disposition() == ("image", True)
    assert bytes(part.data) == data


def test_fields_and_files_are_told_apart() -> None:
    text, file = parse_multipart(multipart((TEXT, b"digits"), (FILE, b"x")), BOUNDARY)
    assert text.disposition() == ("model", False)
    assert file.disposition() == ("image", True)


@given(st.binary(max_size=300))
@example(b"--edge")
@example(b"--edge\r\nContent-Disposition: form-data\r\n\r\n")
@example(bytes(multipart((FILE, b"x")))[:-10])
def test_what_is_no_multipart_body_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(Problem) as refused:
        parse_multipart(bytearray(body), BOUNDARY)
    assert refused.value.code == "bad_request"


def test_parts_are_limited_and_a_boundary_is_needed() -> None:
    with pytest.raises(Problem, match=f"more than {MAX_PARTS} parts"):
        parse_multipart(multipart(*[(TEXT, b"x")] * (MAX_PARTS + 1)), BOUNDARY)
    with pytest.raises(Problem, match="boundary"):
        parse_multipart(multipart((TEXT, b"x")), b"")


def test_a_boundary_that_is_too_long_is_a_bad_request() -> None:
    with pytest.raises(Problem) as refused:
        parse_multipart(bytearray(b"--" + b"x" * 300), b"x" * 300)
    assert refused.value.code == "bad_request"


def test_options_come_plain_quoted_empty_and_with_strangers() -> None:
    options = parse_options({"model": '"digits"', "top_k": "5", "device": "", "utm_source": "mail"})
    assert options.model_dump() == {"model": "digits", "top_k": 5, "device": "auto"}


@pytest.mark.parametrize(
    ("name", "value"), [("top_k", "0"), ("top_k", "many"), ("top_k", "1001"), ("device", "tpu"), ("model", "x" * 64)]
)
def test_bad_options_are_named(name: str, value: str) -> None:
    with pytest.raises(Problem, match=name) as refused:
        parse_options({name: value})
    assert refused.value.code == "bad_request"
