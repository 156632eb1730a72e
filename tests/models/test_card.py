import re
from pathlib import Path

import pytest
import yaml

from models.card import CARD_FILE, MODEL_FILE, CardError, ModelCard, file_sha256, read_card, write_card
from models.store import CATALOGUE, card_folders
from models.validation import validate_folder


@pytest.fixture
def card() -> ModelCard:
    card = read_card(CATALOGUE / "digits" / CARD_FILE)
    assert isinstance(card, ModelCard)
    return card


@pytest.fixture
def folder(tmp_path: Path, card: ModelCard) -> Path:
    """A copy of models/digits to spoil."""
    write_card(card, tmp_path / CARD_FILE)
    (tmp_path / MODEL_FILE).write_bytes((CATALOGUE / "digits" / MODEL_FILE).read_bytes())
    return tmp_path


@pytest.mark.parametrize("folder", card_folders(), ids=lambda folder: folder.name)
def test_every_model_of_the_catalogue_matches_its_card(folder: Path) -> None:
    card = validate_folder(folder)
    assert card.name == folder.name
    assert not isinstance(card, ModelCard) or (folder / MODEL_FILE).stat().st_size <= 5_000_000


def test_card_round_trips(folder: Path, card: ModelCard) -> None:
    assert read_card(folder / CARD_FILE) == card


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "Digits!"), ("version", "1"), ("labels", ["0"]), ("labels", ["0", "0"]), ("sha256", "x"), ("colour", "red")],
)
def test_invalid_field_is_named(folder: Path, field: str, value: object) -> None:
    content = yaml.safe_load((folder / CARD_FILE).read_text())
    content[field] = value
    (folder / CARD_FILE).write_text(yaml.safe_dump(content))
    with pytest.raises(CardError, match=field):
        read_card(folder / CARD_FILE)


@pytest.mark.parametrize(
    "place",
    ["title", "licence", "labels.3", "provenance.recipe", "provenance.revision", "provenance.data.0", "metrics.0.split"],
)
@pytest.mark.parametrize("character", ["\x1b", "\n", "\x9b", "\u202e", "\u2028"])
def test_control_characters_are_rejected_with_the_field_name(folder: Path, place: str, character: str) -> None:
    content = yaml.safe_load((folder / CARD_FILE).read_text())
    *outer, last = [int(key) if key.isdecimal() else key for key in place.split(".")]
    inside = content
    for key in outer:
        inside = inside[key]
    inside[last] = f"a{character}[31m"
    (folder / CARD_FILE).write_text(yaml.safe_dump(content))
    with pytest.raises(CardError, match=re.escape(place)) as error:
        read_card(folder / CARD_FILE)
    assert f"has the control character U+{ord(character):04X}" in str(error.value)
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", f"1.0.{'9' * 5000}"),
        ("version", "1.0.1234567890"),
        ("version", "1.0.\u0661"),
        ("version", "1.0.0\n"),
        ("name", "digits\n"),
        ("title", "a" * 121),
        ("licence", "a" * 501),
        ("calibration", {"temperature": float("nan")}),
        ("rejection", {"score": "energy", "threshold": float("inf")}),
    ],
)
def test_values_out_of_bounds_are_rejected(folder: Path, field: str, value: object) -> None:
    content = yaml.safe_load((folder / CARD_FILE).read_text()) | {field: value}
    (folder / CARD_FILE).write_text(yaml.safe_dump(content))
    with pytest.raises(CardError, match=field) as error:
        read_card(folder / CARD_FILE)
    assert len(str(error.value)) < 2000


def test_many_errors_are_reported_in_one_line(folder: Path) -> None:
    content = yaml.safe_load((folder / CARD_FILE).read_text())
    content |= {f"\x1b[31m{number}" * 100: 1 for number in range(500)}
    (folder / CARD_FILE).write_text(yaml.safe_dump(content))
    with pytest.raises(CardError, match="and 495 errors more") as error:
        read_card(folder / CARD_FILE)
    assert len(str(error.value)) < 4000
    assert str(error.value).isprintable()


def test_card_in_another_script_is_read(folder: Path) -> None:
    content = yaml.safe_load((folder / CARD_FILE).read_text())
    content |= {"title": "손글씨 숫자 👩‍🔬 ١", "known_answer": None, "reference": None, "labels": [*"영일이삼사오육칠팔구"]}
    (folder / CARD_FILE).write_text(yaml.safe_dump(content, allow_unicode=True))
    assert read_card(folder / CARD_FILE).title == "손글씨 숫자 👩‍🔬 ١"


@pytest.mark.parametrize("content", ["", "- 1", "name: [", "\x00", "\xff", "a: " * 2 + "1", "%YAML 1.1\n---\na: 1"])
def test_content_that_is_not_a_card_is_rejected(tmp_path: Path, content: str) -> None:
    (tmp_path / CARD_FILE).write_text(content)
    with pytest.raises(CardError, match=str(tmp_path)):
        read_card(tmp_path / CARD_FILE)


def test_file_with_another_sha256_is_rejected(folder: Path) -> None:
    with (folder / MODEL_FILE).open("ab") as file:
        file.write(b"\x00")
    with pytest.raises(CardError, match="sha256"):
        validate_folder(folder)


def test_missing_file_is_rejected(folder: Path) -> None:
    (folder / MODEL_FILE).unlink()
    with pytest.raises(CardError, match="missing"):
        validate_folder(folder)


def test_labels_and_shapes_must_match_the_graph(folder: Path, card: ModelCard) -> None:
    fewer = {"labels": card.labels[:9], "known_answer": None, "reference": None}
    write_card(card.model_copy(update=fewer), folder / CARD_FILE)
    with pytest.raises(CardError, match="9 labels"):
        validate_folder(folder)
    spec = card.input.model_copy(update={"height": 32, "width": 32})
    write_card(card.model_copy(update={"input": spec}), folder / CARD_FILE)
    with pytest.raises(CardError, match="which is not 32 pixels"):
        validate_folder(folder)


def test_file_that_is_not_onnx_is_rejected(folder: Path, card: ModelCard) -> None:
    (folder / MODEL_FILE).write_bytes(b"not onnx")
    write_card(card.model_copy(update={"sha256": file_sha256(folder / MODEL_FILE)}), folder / CARD_FILE)
    with pytest.raises(CardError, match="is not an ONNX file"):
        validate_folder(folder)
