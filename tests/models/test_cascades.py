from collections.abc import Mapping
from pathlib import Path

import pytest

from models.card import CardError
from models.check import check_folder
from models.store import cascades_last, catalogue
from tests.models.catalogues import add_cascade, add_model, models

THEN = {"digit": "figures:1.0.0", "letter": "letters:2.0.0"}
LABELS = ["0", "1", "A", "B", "C", "drawing"]


@pytest.fixture
def stages(tmp_path: Path) -> Path:
    """A catalogue with three classifiers that a cascade may name."""
    add_model(tmp_path, "zcategory", ["drawing", "digit", "letter"])
    add_model(tmp_path, "figures", ["0", "1"])
    add_model(tmp_path, "letters", ["A", "B", "C"], version="2.0.0")
    return tmp_path


def test_a_cascade_fits_its_models(stages: Path) -> None:
    card = add_cascade(stages, "characters", "zcategory:1.0.0", THEN, LABELS)
    assert check_folder(stages / "characters") == card


@pytest.mark.parametrize(
    ("first", "then", "labels", "reason"),
    [
        ("nothing:1.0.0", THEN, LABELS, "names nothing:1.0.0, which .* does not hold"),
        ("zcategory:1.0.1", THEN, LABELS, "names zcategory:1.0.1, but .* describes zcategory:1.0.0"),
        ("zcategory:1.0.0", {"digit": "characters:1.0.0"}, LABELS, "a cascade itself"),
        ("zcategory:1.0.0", {"picture": "figures:1.0.0"}, LABELS, "then names picture; .* tells apart drawing, digit, letter"),
        ("zcategory:1.0.0", THEN, LABELS[:-1], "labels must be .*: 0, 1, A, B, C, drawing$"),
        ("zcategory:1.0.0", dict(reversed(THEN.items())), LABELS, "labels must be .*: A, B, C, 0, 1, drawing$"),
        ("zcategory:1.0.0", {"digit": THEN["digit"]}, LABELS, "labels must be .*: 0, 1, drawing, letter$"),
    ],
)
def test_a_cascade_that_does_not_fit_is_refused(
    stages: Path, first: str, then: Mapping[str, str], labels: list[str], reason: str
) -> None:
    add_cascade(stages, "characters", first, dict(then), labels)
    with pytest.raises(CardError, match=reason):
        check_folder(stages / "characters")


def test_cascades_are_imported_last(stages: Path) -> None:
    add_cascade(stages, "characters", "zcategory:1.0.0", THEN, LABELS)
    assert [folder.name for folder in cascades_last(catalogue(stages))] == ["figures", "letters", "zcategory", "characters"]


def test_a_cascade_goes_into_the_store_with_its_models(stages: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home")
    add_cascade(stages, "characters", "zcategory:1.0.0", THEN, LABELS)
    alone = models(home, "import", str(stages / "characters"), catalogue=stages)
    assert alone.returncode == 1
    assert "characters:1.0.0 needs zcategory:1.0.0, which is not in the BentoML model store" in alone.stderr
    together = models(home, "import", catalogue=stages)
    assert together.returncode == 0, together.stderr
    assert "characters:1.0.0 imported" in together.stdout
    again = models(home, "import", catalogue=stages)
    assert "characters:1.0.0 is in the store already" in again.stdout


def test_another_cascade_needs_another_version(stages: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home")
    add_cascade(stages, "characters", "zcategory:1.0.0", THEN, LABELS)
    assert models(home, "import", catalogue=stages).returncode == 0
    (stages / "characters" / "card.yaml").unlink()
    (stages / "characters").rmdir()
    add_cascade(stages, "characters", "zcategory:1.0.0", {"digit": THEN["digit"]}, ["0", "1", "drawing", "letter"])
    refused = models(home, "import", catalogue=stages)
    assert refused.returncode == 1
    assert "Raise the version" in refused.stderr
    assert models(home, "import", "--replace", catalogue=stages).returncode == 0
