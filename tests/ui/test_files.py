"""Many files: what is asked for and when, what is remembered, and the table that comes of it."""

import csv
import io
from collections.abc import Sequence
from functools import partial

import httpx
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.support.pictures import WHITE, canvas, encoded
from tests.ui.service import JPEG, OTHER_PNG, PNG, WEBP, Service, batch, classification, pictures, problem
from ui import client as clients
from ui import faults, table
from ui.answers import Classification, Limits, Model
from ui.client import Client, Problem, Unavailable
from ui.files import AT_ONCE, File, Memory, Reader
from ui.gallery import Gallery as Visit
from ui.table import Row

ADDRESS = "http://127.0.0.1:3999"
MODEL = Model(name="digits", version="1.0.0")


def some(count: int) -> list[File]:
    """Different small pictures."""
    return [File.of(f"{number}.png", PNG + bytes([number])) for number in range(count)]


def answer(**changes: object) -> Classification:
    return Classification.model_validate(classification() | changes)


def learn(memory: Memory, reader: Reader, files: Sequence[File], gallery: Visit | None = None) -> None:
    memory.learn(reader, files, gallery, lambda _done, _all: None)


def asked(service: Service) -> list[int]:
    """How many pictures each request had."""
    return [len(pictures(request)) for request in service.asked_for("/classify/batch")]


# What is asked for


def test_portions_respect_every_limit(client: Client) -> None:
    files = some(40)
    assert [len(each) for each in Reader(client, MODEL).portions(files)] == [AT_ONCE, AT_ONCE, 8]
    assert [len(each) for each in Reader(client, MODEL, limits=Limits(max_images=7)).portions(files)] == [7] * 5 + [5]
    weight = len(files[0].data) + 512
    narrow = Reader(client, MODEL, limits=Limits(max_batch_bytes=3 * weight))
    assert [len(each) for each in narrow.portions(files)] == [3] * 13 + [1]
    assert [file for each in narrow.portions(files) for file in each] == files


def test_a_file_that_is_too_large_for_any_request_goes_alone(client: Client) -> None:
    files = [*some(2), File.of("large.png", PNG * 99), *some(1)]
    reader = Reader(client, MODEL, limits=Limits(max_batch_bytes=4 * len(PNG) + 2048))
    assert [len(each) for each in reader.portions(files)] == [2, 1, 1]


def test_what_is_too_much_together_is_asked_for_in_halves(client: Client, service: Service) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        sent = pictures(request)
        return problem(413, "too_large", detail="Less.") if len(sent) > 2 or WEBP in sent else batch(request)

    service.replies["/classify/batch"] = reply
    outcomes = Reader(client, MODEL).ask([PNG, JPEG, OTHER_PNG, WEBP, PNG])
    assert [isinstance(each, Classification) for each in outcomes] == [True, True, True, False, True]
    assert isinstance(outcomes[3], Problem)
    assert outcomes[3].code == "too_large"


def test_one_broken_file_among_twelve_costs_no_other(client: Client, service: Service) -> None:
    files, memory = [*some(5), File.of("broken.png", b"no picture"), *some(11)[5:]], Memory()
    learn(memory, Reader(client, MODEL), files)
    rows = memory.rows(Reader(client, MODEL), files)
    assert [isinstance(row.outcome, Classification) for row in rows] == [True] * 5 + [False] + [True] * 6
    assert asked(service) == [12]
    assert [row.name for row in rows if row.thumbnail is None] == ["broken.png"]


def test_an_answer_is_remembered_by_content_model_and_device(client: Client, service: Service) -> None:
    memory, files = Memory(), [File.of("a.png", PNG), File.of("copy of a.png", PNG), File.of("b.jpg", JPEG)]
    digits = Reader(client, MODEL)
    for reader in (digits, digits, Reader(client, MODEL, "cpu"), Reader(client, Model(name="letters")), digits):
        learn(memory, reader, files)
    assert asked(service) == [2, 2, 2]
    learn(memory, digits, [*files, File.of("c.webp", WEBP)])
    learn(memory, Reader(client, Model(name="digits", version="1.1.0")), files)
    assert asked(service)[3:] == [1, 2]


def test_a_file_that_cannot_be_read_is_not_asked_for_again(client: Client, service: Service) -> None:
    memory, files = Memory(), [File.of("broken.png", b"no picture")]
    for _ in range(2):
        learn(memory, Reader(client, MODEL), files)
    assert asked(service) == [1]


def test_files_that_are_gone_are_forgotten(client: Client) -> None:
    memory, files = Memory(), some(3)
    learn(memory, Reader(client, MODEL), files)
    memory.forget_all_but(files[:1])
    assert (len(memory.outcomes), len(memory.thumbnails)) == (1, 1)


def test_when_the_service_goes_away_only_the_rest_is_asked_for(client: Client, service: Service) -> None:
    memory, files, reader = Memory(), some(AT_ONCE + 4), Reader(client, MODEL)
    service.replies["/classify/batch"] = lambda request: (
        batch(request) if len(service.asked) == 1 else problem(503, "unavailable")
    )
    with pytest.raises(Unavailable):
        learn(memory, reader, files)
    assert [row.outcome is not None for row in memory.rows(reader, files)] == [True] * AT_ONCE + [False] * 4
    service.replies["/classify/batch"] = batch
    learn(memory, reader, files)
    assert asked(service) == [AT_ONCE, 4, 4]


def test_a_picture_the_service_was_too_busy_for_is_asked_for_again(client: Client, service: Service) -> None:
    busy = {"type": "about:blank", "title": "Busy", "status": 429, "detail": "The queue is full.", "code": "overloaded"}
    service.replies["/classify/batch"] = lambda _: httpx.Response(200, json=[classification(), busy, classification()])
    memory, files, reader = Memory(), some(3), Reader(client, MODEL)
    with pytest.raises(Problem, match="The queue is full"):
        learn(memory, reader, files)
    service.replies["/classify/batch"] = batch
    learn(memory, reader, files)
    assert pictures(service.asked[-1]) == [files[1].data]


def test_what_is_read_enters_a_gallery_that_keeps(client: Client) -> None:
    files = [File.of("a.png", PNG), File.of("broken.png", b"no picture"), File.of("b.jpg", JPEG)]
    for keeping, kept in ((False, []), (True, [PNG, JPEG])):
        visit, memory = Visit(keeping=keeping), Memory()
        for _ in range(2):
            learn(memory, Reader(client, MODEL, "cpu"), files, visit)
        assert [entry.picture for entry in visit.waiting()] == kept
        assert all(entry.device == "cpu" and entry.thumbnail for entry in visit.entries)


# The table


def test_thumbnails_are_small() -> None:
    small = table.thumbnail(encoded(Image.new("RGB", (2000, 1000), "red")))
    assert small is not None
    assert Image.open(io.BytesIO(small)).size == (96, 48)
    assert table.thumbnail(b"no picture") is None


def test_the_table_tells_labels_and_what_was_wrong_in_words() -> None:
    text = table.html(
        [
            Row("seven.png", PNG, answer()),
            Row("odd.png", PNG, answer(rejected=True)),
            Row("cut.jpg", None, Problem(status=422, title="Unprocessable", detail="It ends too early.", code="undecodable")),
            Row("late.png", None, None),
        ]
    )
    assert text.count("<tr data-label=") == 4
    assert text.count('data-label="7"') == 2
    assert "99.1%" in text
    assert text.count("not recognised") == 1
    assert "This picture is damaged: It ends too early." in text
    assert text.count("not read yet") == 1
    assert text.count("<img") == 2


def test_a_name_is_only_a_name() -> None:
    text = table.html([Row("<img src=x onerror=alert(1)>.png", None, answer(label="<b>"))])
    assert "<img" not in text
    assert "<b>" not in text


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("too_large", "This picture is too large: Why."),
        ("unsupported_media", "This file is not a picture the service can read: Why."),
        ("undecodable", "This picture is damaged: Why."),
        ("no_ink", "There is nothing to read on this picture: Why."),
        ("new_one", "As told: Why."),
    ],
)
def test_every_fault_has_words(code: str, words: str) -> None:
    assert faults.sentence(Problem(status=400, title="As told", detail="Why.", code=code)) == words
    assert faults.sentence(Problem(status=400, title="As told", detail="", code="")) == "As told"


def test_the_spreadsheet_reads_back() -> None:
    rows = [
        Row('칠, "7".png', PNG, answer()),
        Row("odd\nname.png", PNG, answer(label="-", rejected=True, confidence=0.5)),
        Row("cut.jpg", None, Problem(status=422, title="", detail="It ends too early.", code="undecodable")),
        Row("late.png", None, None),
    ]
    data = table.spreadsheet(rows)
    assert data.startswith("\ufefffile,label,".encode())
    seven, odd, cut, late = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert (seven["file"], seven["label"], seven["confidence"], seven["rejected"]) == ('칠, "7".png', "7", "0.991", "false")
    assert (seven["model"], seven["version"], seven["error"]) == ("digits", "1.0.0", "")
    assert (odd["file"], odd["label"], odd["confidence"], odd["rejected"]) == ("odd\nname.png", "-", "0.5", "true")
    assert (cut["label"], cut["error"]) == ("", "This picture is damaged: It ends too early.")
    assert late["error"] == "not read yet"


@pytest.mark.parametrize(
    "name", ["=1+1.png", "+7.png", "-7.png", "@SUM(A1).png", "\t=1.png", "\r=1.png", "＝1.png", "\n=1.png"]
)
def test_no_spreadsheet_runs_a_file_name(name: str) -> None:
    data = table.spreadsheet([Row(name, None, answer(label="=cmd|'/c calc'!A1"))])
    (row,) = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert row["file"] == f"'{name}"
    assert row["label"].startswith("'=")


# The part of the page


def script() -> None:
    """Files, their answers and nothing else."""
    import streamlit as st

    from ui import client as clients
    from ui import files
    from ui.answers import Model
    from ui.files import File, Reader

    if "client" not in st.session_state:
        st.session_state["client"] = clients.Client("http://127.0.0.1:3999")
    sent = st.file_uploader("Files", accept_multiple_files=True, key="sent")
    if sent:
        reader = Reader(st.session_state["client"], Model(name="digits", version="1.0.0"))
        files.show(reader, [File.of(each.name, each.getvalue()) for each in sent])


@pytest.fixture
def page(service: Service, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr(clients, "Client", partial(clients.Client, transport=httpx.MockTransport(service)))
    return AppTest.from_function(script, default_timeout=30).run()


def send(page: AppTest, files: Sequence[File]) -> None:
    page.file_uploader(key="sent").set_value([(file.name, file.data, "image/png") for file in files]).run()
    assert not page.exception


def written(page: AppTest) -> str:
    return "\n".join(block.proto.body for block in page.get("html"))


def test_the_part_of_the_page(page: AppTest, service: Service) -> None:
    send(page, [*some(11), File.of("broken.png", b"no picture")])
    assert "11 of 12 files read. 1 could not be read: broken.png<" in written(page)
    assert written(page).count('data-label="7"') == 11
    assert "This file is not a picture the service can read" in written(page)
    assert page.get("download_button")[0].proto.label == "Download CSV"
    assert not page.error
    page.run()
    assert asked(service) == [12]


def test_a_retry_asks_for_the_rest(page: AppTest, service: Service) -> None:
    service.replies["/classify/batch"] = lambda request: (
        batch(request) if len(service.asked) == 1 else problem(401, "unauthorized", "Unauthorized", "The key is wrong.")
    )
    send(page, some(AT_ONCE + 4))
    assert "16 of 20 files read.<" in written(page)
    assert page.error[0].value.endswith("files still to be read: 4.")
    assert "The service wants an API key that this page does not have: The key is wrong." in written(page)
    assert written(page).count("not read yet") == 4
    service.replies["/classify/batch"] = batch
    page.button(key="retry-files").click().run()
    assert "20 of 20 files read.<" in written(page)
    assert not page.error
    assert asked(service) == [16, 4, 4]


def test_a_blank_picture_beside_others(page: AppTest, service: Service) -> None:
    blank = {"type": "about:blank", "title": "", "status": 422, "detail": "", "code": "no_ink"}
    service.replies["/classify/batch"] = lambda _: httpx.Response(200, json=[blank, classification()])
    send(page, [File.of("paper.png", encoded(canvas([], paper=WHITE))), File.of("seven.png", PNG)])
    assert "There is nothing to read on this picture" in written(page)
    assert "1 of 2 files read. 1 could not be read: paper.png<" in written(page)


def test_of_many_broken_files_some_are_named(page: AppTest) -> None:
    send(page, [File.of(f"{number}<b>.png", b"no picture" * (number + 1)) for number in range(7)])
    assert "7 could not be read: 0&lt;b&gt;.png, 1&lt;b&gt;.png" in written(page)
    assert "4&lt;b&gt;.png, …<" in written(page)
