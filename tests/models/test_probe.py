from pathlib import Path

import numpy as np
import pytest

from models.card import ModelCard, read_card
from models.check import check_folder
from models.probe import WrongAnswer, ask, check_answer, known_answer, probe
from models.store import CATALOGUE, catalogue
from preprocessing import Tensor
from tests.models.catalogues import add_model

LABELS = ["a", "b", "c", "d", "e", "f", "g"]
LOGITS = [0.0, 5.0, -1.0, 4.0, 3.0, 2.0, 1.0]


@pytest.fixture
def card(tmp_path: Path) -> ModelCard:
    """A card that knows what ``LOGITS`` say of the probe."""
    made = add_model(tmp_path, "marks", LABELS)
    return made.model_copy(update={"known_answer": known_answer(LABELS, LOGITS)})


@pytest.mark.parametrize(("size", "channels"), [(8, 1), (28, 1), (56, 1), (64, 3), (512, 3)])
def test_the_probe_is_a_picture_of_the_models_shape(size: int, channels: int) -> None:
    picture = probe(size, channels, 0.5, 0.25)
    assert picture.shape == (1, channels, size, size)
    assert picture.dtype == np.float32
    assert picture.min() == -2
    assert picture.max() == 2
    assert 0.1 < (picture[0, 0] > 0).mean() < 0.7
    assert len({channel.tobytes() for channel in picture[0]}) == channels


def test_the_largest_logits_are_known_by_label(card: ModelCard) -> None:
    assert card.known_answer == {"b": 5.0, "d": 4.0, "e": 3.0, "f": 2.0, "g": 1.0}


def test_an_answer_may_differ_as_devices_do(card: ModelCard) -> None:
    check_answer(card, [logit + 0.005 for logit in LOGITS])


@pytest.mark.parametrize(
    ("logits", "reason"),
    [
        ([*LOGITS[:3], 4.5, *LOGITS[4:]], "d 4.500.*its card says b 5.000, d 4.000"),
        ([0.0] * 7, "its card says"),
        ([-logit for logit in LOGITS], "its card says"),
        ([*LOGITS, 0.0], "8 logits.*7 labels"),
        ([float("nan"), *LOGITS[1:]], "not finite"),
        ([float("inf"), *LOGITS[1:]], "not finite"),
    ],
)
def test_another_answer_is_wrong(card: ModelCard, logits: list[float], reason: str) -> None:
    with pytest.raises(WrongAnswer, match=reason):
        check_answer(card, logits)


def test_a_session_is_shown_the_probe(card: ModelCard) -> None:
    shown = []

    def run(batch: Tensor) -> Tensor:
        shown.append(batch)
        return np.array([LOGITS], np.float32)

    ask(card, run)
    assert np.array_equal(shown[0], probe(card.input.size, 1, 0, 1))


@pytest.mark.parametrize("folder", catalogue(CATALOGUE), ids=lambda folder: folder.name)
def test_the_models_of_the_project_know_their_answer(folder: Path) -> None:
    card = check_folder(folder, CATALOGUE)
    assert not isinstance(card, ModelCard) or card.known_answer


def test_a_known_answer_is_of_the_cards_labels(tmp_path: Path) -> None:
    made = add_model(tmp_path, "marks", LABELS)
    with pytest.raises(ValueError, match="known_answer names z"):
        ModelCard.model_validate(made.model_dump() | {"known_answer": {"z": 1.0}})
    assert read_card(tmp_path / "marks" / "card.yaml") == made
