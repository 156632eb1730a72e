from pathlib import Path

import pytest
import yaml

from models.card import CARD_FILE, MODEL_FILE, CardError, CascadeCard, ModelCard, file_sha256, read_card, write_card
from models.check import check_folder
from models.store import CATALOGUE, catalogue


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


@pytest.mark.parametrize("folder", catalogue(), ids=lambda folder: folder.name)
def test_every_model_of_the_catalogue_fits_its_card(folder: Path) -> None:
    card = check_folder(folder)
    assert card.name == folder.name
    assert isinstance(card, CascadeCard) or (folder / MODEL_FILE).stat().st_size <= 5_000_000


def test_a_card_is_read_as_it_was_written(folder: Path, card: ModelCard) -> None:
    assert read_card(folder / CARD_FILE) == card


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "Digits!"), ("version", "1"), ("labels", ["0"]), ("labels", ["0", "0"]), ("sha256", "x"), ("colour", "red")],
)
def test_a_bad_field_is_named(folder: Path, field: str, value: object) -> None:
    content = yaml.safe_load((folder / CARD_FILE).read_text())
    content[field] = value
    (folder / CARD_FILE).write_text(yaml.safe_dump(content))
    with pytest.raises(CardError, match=field):
        read_card(folder / CARD_FILE)


@pytest.mark.parametrize("content", ["", "- 1", "name: [", "\x00"])
def test_what_is_no_card_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / CARD_FILE).write_text(content)
    with pytest.raises(CardError, match=str(tmp_path)):
        read_card(tmp_path / CARD_FILE)


def test_a_changed_file_is_refused(folder: Path) -> None:
    with (folder / MODEL_FILE).open("ab") as file:
        file.write(b"\x00")
    with pytest.raises(CardError, match="sha256"):
        check_folder(folder)


def test_a_missing_file_is_refused(folder: Path) -> None:
    (folder / MODEL_FILE).unlink()
    with pytest.raises(CardError, match="missing"):
        check_folder(folder)


def test_labels_and_shapes_must_match_the_graph(folder: Path, card: ModelCard) -> None:
    write_card(card.model_copy(update={"labels": card.labels[:9], "known_answer": None}), folder / CARD_FILE)
    with pytest.raises(CardError, match="9 labels"):
        check_folder(folder)
    spec = card.input.model_copy(update={"size": 32})
    write_card(card.model_copy(update={"input": spec}), folder / CARD_FILE)
    with pytest.raises(CardError, match=r"input is 1x28x28, the card of .* says 1x32x32"):
        check_folder(folder)


def test_what_is_no_onnx_file_is_refused(folder: Path, card: ModelCard) -> None:
    (folder / MODEL_FILE).write_bytes(b"not onnx")
    write_card(card.model_copy(update={"sha256": file_sha256(folder / MODEL_FILE)}), folder / CARD_FILE)
    with pytest.raises(CardError, match="is not an ONNX file"):
        check_folder(folder)
