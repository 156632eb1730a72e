from pathlib import Path

import numpy as np
import pytest

from models.card import ModelCard, read_card
from models.golden import GoldenOutputMismatch, golden_input, golden_output, verify_golden_output, verify_session
from models.store import CATALOGUE, card_folders
from models.validation import validate_folder
from preprocessing import Colour, InputSpec, Layout, Normalisation, PhotoGeometry, Tensor
from tests.models.catalogues import add_model

LABELS = ["a", "b", "c", "d", "e", "f", "g"]
LOGITS = [0.0, 5.0, -1.0, 4.0, 3.0, 2.0, 1.0]


@pytest.fixture
def card(tmp_path: Path) -> ModelCard:
    """A card whose golden output is ``LOGITS``."""
    made = add_model(tmp_path, "marks", LABELS)
    return made.model_copy(update={"known_answer": golden_output(LABELS, LOGITS)})


@pytest.mark.parametrize(
    ("height", "width", "colour"),
    [(8, 8, "grey"), (28, 28, "grey"), (56, 56, "grey"), (64, 64, "RGB"), (5, 5, "grey"), (512, 300, "RGB"), (32, 24, "RGBA")],
)
def test_golden_input_has_the_shape_of_the_model(height: int, width: int, colour: Colour) -> None:
    normalisation = Normalisation(mean=(0.5,), std=(0.25,))
    spec = InputSpec(height=height, width=width, colour=colour, geometry=PhotoGeometry(), normalisation=normalisation)
    picture = golden_input(spec)
    assert picture.shape == (1, spec.channels, height, width)
    assert picture.dtype == np.float32
    assert picture.min() == -2
    assert picture.max() == 2
    assert 0.1 < (picture[0, 0] > 0).mean() < 0.7
    assert len({channel.tobytes() for channel in picture[0]}) == spec.channels


@pytest.mark.parametrize("layout", ["NHWC", "NP"])
def test_golden_input_has_the_layout_and_type_of_the_model(layout: Layout) -> None:
    spec = InputSpec(height=16, width=8, colour="RGB", geometry=PhotoGeometry())
    other = spec.model_copy(update={"layout": layout, "type": "uint8", "normalisation": Normalisation(scale=255)})
    picture = golden_input(other)
    assert picture.dtype == np.uint8
    assert picture.shape[1:] == other.shape
    expected = np.rint(golden_input(spec) * 255).transpose(0, 2, 3, 1)
    assert np.abs(picture.reshape(expected.shape) - expected).max() <= 1


def test_golden_output_has_the_largest_logits_by_label(card: ModelCard) -> None:
    assert card.known_answer == {"b": 5.0, "d": 4.0, "e": 3.0, "f": 2.0, "g": 1.0}


def test_differences_between_devices_are_tolerated(card: ModelCard) -> None:
    verify_golden_output(card, [logit + 0.005 for logit in LOGITS])


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
def test_other_logits_are_a_mismatch(card: ModelCard, logits: list[float], reason: str) -> None:
    with pytest.raises(GoldenOutputMismatch, match=reason):
        verify_golden_output(card, logits)


def test_session_is_run_on_the_golden_input(card: ModelCard) -> None:
    shown = []

    def run(batch: Tensor) -> Tensor:
        shown.append(batch)
        return np.array([LOGITS], np.float32)

    verify_session(card, run)
    assert np.array_equal(shown[0], golden_input(card.input))


@pytest.mark.parametrize("folder", card_folders(CATALOGUE), ids=lambda folder: folder.name)
def test_models_of_the_project_have_a_golden_output(folder: Path) -> None:
    card = validate_folder(folder, CATALOGUE)
    assert not isinstance(card, ModelCard) or card.known_answer


def test_golden_output_has_labels_of_the_card(tmp_path: Path) -> None:
    made = add_model(tmp_path, "marks", LABELS)
    with pytest.raises(ValueError, match="known_answer names z"):
        ModelCard.model_validate(made.model_dump() | {"known_answer": {"z": 1.0}})
    assert read_card(tmp_path / "marks" / "card.yaml") == made
