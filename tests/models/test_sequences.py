"""The cards of sequences: what they may name, and the commands on them."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from models.__main__ import main
from models.card import CARD_FILE, CardError, ModelCard, SequenceCard, read_card, write_card
from models.card_fields import SequenceMetrics
from models.outputs import OutputSpec
from models.store import card_folders, delete, members_first, verified_folder, with_members
from models.validation import validate_folder
from preprocessing import PhotoGeometry
from tests.models.catalogues import add_cascade, add_model, add_sequence

THEN = {"digit": "digits:1.0.0", "letter": "letters:1.0.0"}
CHARACTERS = ["0", "1", "A", "B", "drawing"]


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """A catalogue with three classifiers and a cascade of them that a sequence may name."""
    add_model(tmp_path, "category", ["drawing", "digit", "letter"])
    add_model(tmp_path, "digits", ["0", "1"])
    add_model(tmp_path, "letters", ["A", "B"])
    add_cascade(tmp_path, "characters", "category:1.0.0", THEN, CHARACTERS)
    return tmp_path


@pytest.mark.parametrize(("reader", "labels"), [("digits", ["0", "1"]), ("characters", ["0", "1", "A", "B"])])
def test_sequence_matches_its_reader(catalogue: Path, reader: str, labels: list[str]) -> None:
    card = add_sequence(catalogue, "signs", f"{reader}:1.0.0", labels)
    assert validate_folder(catalogue / "signs") == card == read_card(catalogue / "signs" / CARD_FILE)


@pytest.mark.parametrize(
    ("reader", "labels", "reason"),
    [
        ("nothing:1.0.0", ["0", "1"], "names nothing:1.0.0, which is not in"),
        ("digits:2.0.0", ["0", "1"], "names digits:2.0.0, but .* describes digits:1.0.0"),
        ("numbers:1.0.0", ["0", "1"], "which is a sequence; a sequence needs a classifier or a cascade"),
        ("digits:1.0.0", ["1", "0"], "labels must be those of digits:1.0.0 that are one character: 0, 1$"),
        ("characters:1.0.0", ["0", "1"], "labels must be those of .* that are one character: 0, 1, A, B$"),
        ("category:1.0.0", ["0", "1"], "labels must be those of .* that are one character: none$"),
    ],
)
def test_sequence_that_does_not_match_is_rejected(catalogue: Path, reader: str, labels: list[str], reason: str) -> None:
    add_sequence(catalogue, "numbers", "digits:1.0.0", ["0", "1"])
    add_sequence(catalogue, "signs", reader, labels)
    with pytest.raises(CardError, match=reason):
        validate_folder(catalogue / "signs")


@pytest.mark.parametrize("reader", ["digits", "characters"])
@pytest.mark.parametrize("change", ["photo", "multi_label"])
def test_reader_must_take_ink_and_give_one_label(catalogue: Path, reader: str, change: str) -> None:
    digits = read_card(catalogue / "digits" / CARD_FILE)
    assert isinstance(digits, ModelCard)
    update: dict[str, object]
    if change == "photo":
        update = {"input": digits.input.model_copy(update={"geometry": PhotoGeometry(subject="photo", polarity="as_is")})}
        reason = "digits:1.0.0 takes no ink"
    else:
        update, reason = {"output": OutputSpec(multi_label=True)}, "whose labels are each for themselves; a sequence needs"
    write_card(digits.model_copy(update=update), catalogue / "digits" / CARD_FILE)
    add_sequence(catalogue, "signs", f"{reader}:1.0.0", CHARACTERS[: 2 if reader == "digits" else 4])
    with pytest.raises(CardError, match=reason):
        validate_folder(catalogue / "signs")


def test_labels_of_several_characters_are_rejected(catalogue: Path) -> None:
    with pytest.raises(ValidationError, match="labels must be one character each, unlike drawing"):
        add_sequence(catalogue, "signs", "characters:1.0.0", CHARACTERS)


def test_metrics_round_trip(catalogue: Path) -> None:
    metrics = SequenceMetrics(dataset="composed", split="test", length=3, n=1000, exact_match=0.96, character_error_rate=0.012)
    card = add_sequence(catalogue, "numbers", "digits:1.0.0", ["0", "1"]).model_copy(update={"metrics": [metrics]})
    write_card(card, catalogue / "numbers" / CARD_FILE)
    read = read_card(catalogue / "numbers" / CARD_FILE)
    assert isinstance(read, SequenceCard)
    assert read.metrics == [metrics]


@pytest.fixture
def signs(catalogue: Path, store: Path, inspected_in_process: None, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: ARG001
    """The folder of a sequence, read by a cascade, in the catalogue that the command takes."""
    monkeypatch.setenv("CATALOGUE", str(catalogue))
    add_sequence(catalogue, "a-signs", "characters:1.0.0", CHARACTERS[:-1])
    return catalogue / "a-signs"


def test_sequence_is_stored_after_its_reader_and_needs_all_models(signs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["category", "digits", "letters", "characters", "a-signs"]
    assert [folder.name for folder in members_first(card_folders(signs.parent))] == names
    assert main(["import", str(signs)]) == 1
    assert "a-signs:1.0.0 needs characters:1.0.0, which is not in the BentoML model store" in capsys.readouterr().err
    assert main(["import"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "a-signs:1.0.0 imported"
    assert main(["import"]) == 0
    assert "a-signs:1.0.0 is in the store already" in capsys.readouterr().out
    card = read_card(verified_folder("a-signs:1.0.0") / CARD_FILE)
    assert with_members(card) == [f"{name}:1.0.0" for name in names]
    delete("letters:1.0.0")
    for needs in (verified_folder, lambda _: with_members(card)):
        with pytest.raises(CardError, match=r"characters:1\.0\.0 needs letters:1\.0\.0"):
            needs("a-signs:1.0.0")


def test_commands_know_sequences(signs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import"]) == 0
    assert main(["verify"]) == 0
    capsys.readouterr()
    assert main(["list"]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("a-signs"))
    assert line.split()[:6] == ["a-signs:1.0.0", "sequence", "4", "labels", "in", "the"]
    assert main(["remove", "characters"]) == 1
    assert "a-signs names characters; remove a-signs first" in capsys.readouterr().err
    assert main(["export", "a-signs", str(tmp_path / "copy")]) == 0
    assert [file.name for file in (tmp_path / "copy" / "a-signs").iterdir()] == [CARD_FILE]
    assert main(["remove", "a-signs"]) == 0
    assert main(["import", str(tmp_path / "copy" / "a-signs")]) == 0
    assert (signs / CARD_FILE).is_file()


def test_another_reader_needs_another_version(signs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import"]) == 0
    (signs / CARD_FILE).unlink()
    signs.rmdir()
    add_sequence(signs.parent, "a-signs", "digits:1.0.0", ["0", "1"])
    assert main(["import"]) == 1
    assert "Raise the version" in capsys.readouterr().err
    assert main(["import", "--replace"]) == 0
