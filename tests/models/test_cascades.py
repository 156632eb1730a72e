from collections.abc import Mapping
from pathlib import Path

import pytest

from models.__main__ import main
from models.card import CARD_FILE, CardError, ModelCard, read_card, write_card
from models.outputs import OutputSpec
from models.store import card_folders, delete, members_first, verified_folder
from models.validation import validate_folder
from tests.models.catalogues import add_cascade, add_model

THEN = {"digit": "figures:1.0.0", "letter": "letters:2.0.0"}
LABELS = ["0", "1", "A", "B", "C", "drawing"]


@pytest.fixture
def stages(tmp_path: Path) -> Path:
    """A catalogue with three classifiers that a cascade may name."""
    add_model(tmp_path, "zcategory", ["drawing", "digit", "letter"])
    add_model(tmp_path, "figures", ["0", "1"])
    add_model(tmp_path, "letters", ["A", "B", "C"], version="2.0.0")
    return tmp_path


def test_cascade_matches_its_models(stages: Path) -> None:
    card = add_cascade(stages, "characters", "zcategory:1.0.0", THEN, LABELS)
    assert validate_folder(stages / "characters") == card


@pytest.mark.parametrize(
    ("first", "then", "labels", "reason"),
    [
        ("nothing:1.0.0", THEN, LABELS, "names nothing:1.0.0, which is not in"),
        ("zcategory:1.0.1", THEN, LABELS, "names zcategory:1.0.1, but .* describes zcategory:1.0.0"),
        ("zcategory:1.0.0", {"digit": "characters:1.0.0"}, LABELS, "which is a cascade"),
        (
            "zcategory:1.0.0",
            {"picture": "figures:1.0.0"},
            LABELS,
            "then names picture, but the labels of .* are drawing, digit, letter",
        ),
        ("zcategory:1.0.0", THEN, LABELS[:-1], "labels must be .*: 0, 1, A, B, C, drawing$"),
        ("zcategory:1.0.0", dict(reversed(THEN.items())), LABELS, "labels must be .*: A, B, C, 0, 1, drawing$"),
        ("zcategory:1.0.0", {"digit": THEN["digit"]}, LABELS, "labels must be .*: 0, 1, drawing, letter$"),
    ],
)
def test_cascade_that_does_not_match_is_rejected(
    stages: Path, first: str, then: Mapping[str, str], labels: list[str], reason: str
) -> None:
    add_cascade(stages, "characters", first, dict(then), labels)
    with pytest.raises(CardError, match=reason):
        validate_folder(stages / "characters")


def test_cascade_of_labels_that_are_each_for_themselves_is_rejected(stages: Path) -> None:
    letters = read_card(stages / "letters" / CARD_FILE)
    assert isinstance(letters, ModelCard)
    write_card(letters.model_copy(update={"output": OutputSpec(multi_label=True)}), stages / "letters" / CARD_FILE)
    add_cascade(stages, "characters", "zcategory:1.0.0", THEN, LABELS)
    with pytest.raises(CardError, match=r"names letters:2\.0\.0, whose labels are each for themselves"):
        validate_folder(stages / "characters")


def test_cascades_are_imported_last(stages: Path) -> None:
    add_cascade(stages, "characters", "zcategory:1.0.0", THEN, LABELS)
    assert [folder.name for folder in members_first(card_folders(stages))] == ["figures", "letters", "zcategory", "characters"]


@pytest.fixture
def cascade(stages: Path, store: Path, inspected_in_process: None, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: ARG001
    """The folder of a cascade in the catalogue that the command takes."""
    monkeypatch.setenv("CATALOGUE", str(stages))
    add_cascade(stages, "characters", "zcategory:1.0.0", THEN, LABELS)
    return stages / "characters"


def test_cascade_is_stored_after_its_models(cascade: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(cascade)]) == 1
    assert "characters:1.0.0 needs zcategory:1.0.0, which is not in the BentoML model store" in capsys.readouterr().err
    assert main(["import"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "characters:1.0.0 imported"
    assert (verified_folder("characters:1.0.0") / "card.yaml").is_file()
    assert main(["import"]) == 0
    assert "characters:1.0.0 is in the store already" in capsys.readouterr().out
    delete("letters:2.0.0")
    with pytest.raises(CardError, match=r"characters:1\.0\.0 needs letters:2\.0\.0"):
        verified_folder("characters:1.0.0")


def test_another_cascade_needs_another_version(cascade: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import"]) == 0
    (cascade / "card.yaml").unlink()
    cascade.rmdir()
    add_cascade(cascade.parent, "characters", "zcategory:1.0.0", {"digit": THEN["digit"]}, ["0", "1", "drawing", "letter"])
    assert main(["import"]) == 1
    assert "Raise the version" in capsys.readouterr().err
    assert main(["import", "--replace"]) == 0
