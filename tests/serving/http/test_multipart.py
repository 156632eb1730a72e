import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from serving.errors import Problem
from serving.http.multipart import MAX_BOUNDARY, Part, is_form, parse_form

FORM = b"multipart/form-data; boundary=edge"
FILE = b'Content-Disposition: form-data; name="image"; filename="7.png"\r\nContent-Type: image/png'
TEXT = b'Content-Disposition: form-data; name="model"'


def multipart(*parts: tuple[bytes, bytes]) -> bytes:
    """A multipart body of (headers, data) pairs."""
    return b"".join(b"--edge\r\n" + headers + b"\r\n\r\n" + data + b"\r\n" for headers, data in parts) + b"--edge--\r\n"


def refused(body: bytes, content_type: bytes = FORM, max_parts: int = 16) -> Problem:
    with pytest.raises(Problem) as problem:
        parse_form(bytearray(body), content_type, max_parts)
    return problem.value


@given(st.lists(st.tuples(st.text("abcdefg ö;=\\\"'", max_size=12), st.binary(max_size=500)), max_size=5))
def test_what_a_client_library_sends_is_read(parts: list[tuple[str, bytes]]) -> None:
    given_files = [(name or "x", (f"{name}.png", data, "image/png")) for name, data in parts]
    request = httpx.Request("POST", "http://host/", files=[*given_files, ("last", ("l", b"l"))], data={"model": "digits"})
    form = parse_form(bytearray(request.read()), request.headers["content-type"].encode(), 16)
    assert Part("model", False, b"digits") in form
    assert [part.data for part in form if part.is_file] == [*(data for _, data in parts), b"l"]


@given(st.binary(max_size=2000).filter(lambda data: b"\r\n--edge" not in b"\r\n" + data))
@example(b"\r\n")
@example(b"\r\n\r\n")
@example(b"--")
def test_parts_keep_their_data(data: bytes) -> None:
    assert parse_form(bytearray(multipart((FILE, data), (TEXT, data))), FORM, 16) == [
        Part("image", True, data),
        Part("model", False, data),
    ]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (b"content-disposition:form-data;name=image", ("image", False)),
        (b'Content-Disposition: form-data; filename="; name=\\"other\\""; name="image"', ("image", True)),
        (b"Content-Disposition: form-data; name=image; filename*=UTF-8''7.png", ("image", True)),
        (b"Content-Type: image/png\r\nContent-Disposition: form-data; name=image", ("image", True)),
        (b"X-Other: form-data; name=image", ("", False)),
    ],
)
def test_fields_and_files_are_distinguished(headers: bytes, expected: tuple[str, bool]) -> None:
    (part,) = parse_form(bytearray(multipart((headers, b"x"))), FORM, 16)
    assert (part.name, part.is_file) == expected


def test_padding_preamble_and_epilogue_are_allowed() -> None:
    body = b"preamble\r\n--edge \t\r\n" + TEXT + b"\r\n\r\ndigits\r\n--edge--\r\nepilogue"
    assert parse_form(bytearray(body), FORM, 16) == [Part("model", False, b"digits")]
    assert parse_form(bytearray(b"--edge\r\n\r\ndata\r\n--edge--"), FORM, 16) == [Part("", False, b"data")]
    assert parse_form(bytearray(b"--edge--"), FORM, 16) == []


@given(st.binary(max_size=300).filter(lambda body: not body.startswith(b"--edge--")))
@example(b"--edge")
@example(b"--edge\r\nContent-Disposition: form-data\r\n\r\n")
@example(multipart((FILE, b"x"))[:-10])
@example(b"--edge\r\n" + b"x" * 20_000 + b"\r\n\r\n\r\n--edge--")
def test_invalid_multipart_body_is_a_bad_request(body: bytes) -> None:
    assert refused(body).code == "bad_request"


def test_parts_are_limited_and_a_boundary_is_needed() -> None:
    assert refused(multipart(*[(TEXT, b"x")] * 5), max_parts=4).code == "too_large"
    assert "boundary" in refused(multipart((TEXT, b"x")), b"multipart/form-data").detail
    assert "boundary" in refused(multipart((TEXT, b"x")), b'multipart/form-data; boundary=""').detail
    long = b"x" * (MAX_BOUNDARY + 1)
    assert refused(b"--" + long, b"multipart/form-data; boundary=" + long).code == "bad_request"


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (FORM, True),
        (b"Multipart/Form-Data", True),
        (b" multipart/form-data ;boundary=x", True),
        (b"multipart/form-datax; boundary=x", False),
        (b"image/png", False),
        (b"", False),
    ],
)
def test_forms_are_recognised(content_type: bytes, expected: bool) -> None:
    assert is_form(content_type) is expected
