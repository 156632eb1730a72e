"""Which part of a request is read as its image, and the error when there is none or too much."""

import base64
import json
from typing import Any

import pytest
from starlette.requests import Request

from serving.errors import Problem
from serving.http.schemas import parse_options
from tests.serving.http.requests import batch, image, multipart, text_form, urlencoded, whole

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
BIG = b"\xff\xd8\xff" + bytes(range(256)) * 1200  # larger than what counts as a small body, as text and as bytes
JSON = "application/json"


def refusal(made: Request, *, many: bool = False, **settings: int) -> Problem:
    with pytest.raises(Problem) as refused:
        (batch if many else image)(made, **settings)
    return refused.value


def as_json(**members: Any) -> Request:
    return whole(JSON, json.dumps(members).encode())


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_options_come_plain_quoted_empty_and_with_unknown_ones() -> None:
    options = parse_options({"model": '"digits"', "top_k": "5", "device": "", "utm_source": "mail"}, "letters")
    assert options.model_dump() == {"model": "digits", "top_k": 5, "device": "auto"}


def test_default_model_is_used_when_none_is_named() -> None:
    for options in ({}, {"model": ""}, {"top_k": "1"}):
        assert parse_options(options, "letters").model == "letters"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("top_k", "0"), ("top_k", "many"), ("top_k", "1001"), ("device", "tpu"), ("model", "x" * 64)),
        *(("top_k", True), ("top_k", [3]), ("model", 5), ("model", {"a": 1}), ("device", 1.5), ("top_k", 10**400)),
    ],
)
def test_bad_options_are_named(name: str, value: object) -> None:
    with pytest.raises(Problem, match=name) as refused:
        parse_options({name: value}, "digits")
    assert refused.value.code == "bad_request"


@pytest.mark.parametrize("data", [PNG, BIG])
@pytest.mark.parametrize("kind", ["image/png", "", "application/octet-stream", "application/x-www-form-urlencoded", JSON])
def test_the_body_is_the_image_whatever_its_type_says(data: bytes, kind: str) -> None:
    assert image(whole(kind, data)).images == [data]


@pytest.mark.parametrize("first", [b"{", b"[", b'"', b" {", b"\xef\xbb\xbf{"])
def test_damaged_image_is_not_taken_for_json(first: bytes) -> None:
    assert image(whole("image/png", first + PNG[1:])).images == [first + PNG[1:]]
    text = json.dumps({"image": base64_of(PNG)}).encode()
    assert image(whole("image/png", b" " + text)).images == [PNG]


@pytest.mark.parametrize("data", [PNG, BIG])
@pytest.mark.parametrize("name", ["image", "file", "picture[]", "", "\u00e4"])
def test_one_file_under_any_name_is_the_image(data: bytes, name: str) -> None:
    upload = image(multipart([(name, data)], {"model": "letters", "note": "mine"}))
    assert upload.images == [data]
    assert (upload.options.model, upload.fields["note"]) == ("letters", "mine")


def test_field_named_image_is_preferred_among_files() -> None:
    assert image(multipart([("mask", BIG), ("image", PNG), ("other", b"x")])).images == [PNG]
    assert image(multipart([("image", b""), ("file", PNG)])).images == [PNG]
    assert "2 images" in refusal(multipart([("image", PNG), ("image", PNG)])).detail
    several = refusal(multipart([("left", PNG), ("right", PNG)]))
    assert (several.code, "`left`, `right`" in several.detail) == ("bad_request", True)


def test_missing_image_error_names_what_was_sent() -> None:
    for made in (
        text_form(picture="x", model="digits"),
        urlencoded(picture="x", model="digits"),
        as_json(picture="x", model="d"),
    ):
        problem = refusal(made)
        assert (problem.code, "`picture`, `model`" in problem.detail) == ("bad_request", True), problem.detail
    for made in (whole("", b""), whole(JSON, b""), multipart([("image", b"")]), as_json(image=""), as_json(image=None)):
        assert refusal(made).detail.startswith("There is no image.")


def test_options_that_a_client_sends_as_files_are_no_images() -> None:
    part = b'--edge\r\nContent-Disposition: form-data; name="%s"\r\nContent-Type: %s\r\n\r\n%s\r\n'
    parts = [
        (b"model", b"application/json", b'"letters"'),
        (b"note", b"text/plain; charset=utf-8", b"mine"),
        (b"f", b"image/png", PNG),
    ]
    body = b"".join(part % one for one in parts) + b"--edge--\r\n"
    upload = image(whole("multipart/form-data; boundary=edge", body))
    assert (upload.images, upload.options.model, upload.fields["note"]) == ([PNG], "letters", "mine")


@pytest.mark.parametrize("data", [b"x", b"xy", PNG, BIG])
@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,", "data:;base64,", "DATA:image/svg+xml;charset=utf-8;base64,"])
def test_base64_is_read_in_json_and_in_forms(data: bytes, prefix: str) -> None:
    text = prefix + base64_of(data)
    for made in (as_json(image=text, top_k=5), urlencoded(image=text, top_k="5"), text_form(image=text, top_k="5")):
        upload = image(made)
        assert upload.images == [data]
        assert upload.options.top_k == 5


@pytest.mark.parametrize("data", [bytes(range(248, 256)), BIG])
def test_base64_variants_are_read(data: bytes) -> None:
    text = base64_of(data)
    lines = "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76)) + "\n"
    assert image(as_json(image=f"  {text[:40]} {text[40:]} ")).images == [data]
    for form in (text.rstrip("="), base64.urlsafe_b64encode(data).decode(), lines):
        for made in (as_json(image=form), urlencoded(image=form), text_form(image=form)):
            assert image(made).images == [data], form[:40]


def test_space_in_base64_form_text_is_read_as_plus() -> None:
    for data in (b"\xff\xd8\xff" + b"\xfb\xef\xbe" * 20, b"\xff\xd8\xff" + b"\xfb\xef\xbe" * 60_000):
        text = base64_of(data)
        assert text.endswith("++++")
        raw = whole("application/x-www-form-urlencoded", b"image=" + text.encode() + b"&model=letters")
        spaced = "data:image/png;base64," + text.replace("+++", "+ +")
        for made in (raw, urlencoded(image=spaced), text_form(image=spaced)):
            assert image(made).images == [data]


@pytest.mark.parametrize("data", [bytes(range(240, 256)), BIG])
def test_escapes_that_json_libraries_write_are_read(data: bytes) -> None:
    text = base64_of(data)
    for escaped in (
        text.replace("/", "\\/"),
        text.replace("+", "\\u002B").replace("=", "\\u003d"),
        text.replace("/", "\\u002f"),
    ):
        assert image(whole(JSON, b'\xef\xbb\xbf {"image": "' + escaped.encode() + b'"}')).images == [data]
    for kind in ("text/plain;charset=UTF-8", ""):
        assert image(whole(kind, json.dumps({"image": text}).encode())).images == [data]


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        ("http://127.0.0.1/7.png", "never fetched"),
        ("HTTPS://example.org/" + "a" * 300, "never fetched"),
        ("file:///etc/passwd", "never fetched"),
        ("7.png", "it has '.' in it"),
        ("é" * 200, "not base64"),
        ("data:image/png,abc", "without `;base64`"),
        ("AAAAA", "cut off"),
        ("AA=AA", "before its end"),
        ("A" * 200_000 + "=" + "A" * 200_000, "before its end"),
        ([[0, 255], [1, 2]], "a list"),
        ({"url": "x"}, "an object"),
        (7, "a number"),
        (True, "true or false"),
    ],
)
def test_invalid_image_is_refused_with_what_to_send(value: object, advice: str) -> None:
    made = [as_json(image=value)]
    made += [urlencoded(image=value), text_form(image=value)] if isinstance(value, str) else []
    for one in made:
        problem = refusal(one)
        assert problem.code == "bad_request"
        assert advice in problem.detail and "`image`" in problem.detail and "base64" in problem.detail


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"[",
            b"{",
            b'{"image"',
            b'{"image": "abc}',
            b"[1, 2, 3]",
            b'"text"',
            b"3",
            b"null",
            b'{"image": }',
            b"{" + b"\0" * 50,
        ),
        *(
            b"[" * 60_000,
            b'{"image": ' + b"[" * 16_000,
            b'{"image": ' + b'{"a":' * 10_000,
            b'{"top_k": ' + b"9" * 60_000 + b"}",
        ),
        *(
            b'{"image": [' + b"0, " * 200_000,
            b'{"a": "' + b'\\"' * 200_000,
            b'{"a": "' + b"\\" * 200_000 + b'"}',
            b'{"a": "\xff"}',
        ),
        *(b'{"a": "", ' * 6_000, b'{"\\u00000": "' + b"x" * 200),
    ],
    ids=range(20),
)
def test_invalid_json_is_a_bad_request(body: bytes) -> None:
    assert refusal(whole(JSON, body)).code == "bad_request"


def test_pixel_arrays_are_refused_with_what_to_send() -> None:
    for side in (2, 28, 280):
        error = refusal(as_json(image=[[255] * side] * side))
        assert (error.code, "the image file as base64; arrays of pixels are not read" in error.detail) == ("bad_request", True)


def test_a_batch_as_files_of_any_name_or_as_json() -> None:
    pictures = [PNG, BIG, b"nothing", b""]
    for name in ("images", "files", "images[]"):
        assert batch(multipart([(name, one) for one in pictures], {"top_k": "1"})).images == pictures
    assert batch(multipart([("cover", b"x"), *(("images", one) for one in pictures)])).images == pictures
    upload = batch(as_json(images=[base64_of(one) for one in pictures], model="letters"))
    assert (upload.images, upload.options.model) == (pictures, "letters")
    assert batch(as_json(images=base64_of(PNG))).images == [PNG]
    assert batch(urlencoded(images=base64_of(PNG))).images == [PNG]


def test_invalid_batches_are_refused() -> None:
    for made in (as_json(images=[]), as_json(image="abcd"), whole("image/png", PNG), whole("", b""), text_form(model="digits")):
        assert refusal(made, many=True).code == "bad_request"
    assert "`images` holds a number" in refusal(as_json(images=["abcd", 7]), many=True).detail
    assert refusal(as_json(images=["abcd"] * 257), many=True).code == "too_large"
    assert refusal(multipart([("images", PNG)] * 257), many=True).code == "too_large"


def test_too_large_says_how_large_and_how_to_make_it_smaller() -> None:
    limit, text = 100_000, base64_of(bytes(200_000))
    for made in (
        whole("image/jpeg", bytes(200_000)),
        multipart([("image", bytes(120_000))]),
        as_json(image=text),
        urlencoded(image=text),
    ):
        problem = refusal(made, max_image_bytes=limit)
        assert problem.code == "too_large"
        assert "100,000" in problem.detail and "1,600 pixels a side" in problem.detail
        assert any(known in problem.detail for known in ("200,0", "120,")), problem.detail
    problem = refusal(multipart([("images", bytes(200_000))]), many=True, max_batch_bytes=limit)
    assert "200," in problem.detail and "fewer images" in problem.detail
