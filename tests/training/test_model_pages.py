"""docs/models/: a page for each model, generated from its card."""

from pathlib import Path

import pytest

from models.card import CARD_FILE, SequenceCard, read_card
from models.card_fields import SequenceMetrics
from models.store import card_folders
from training.model_pages import DOCS, render_page

FOLDERS = card_folders()


@pytest.mark.parametrize("folder", FOLDERS, ids=[folder.name for folder in FOLDERS])
def test_page_is_generated_from_the_card(folder: Path) -> None:
    card = read_card(folder / CARD_FILE)
    assert (DOCS / f"{card.name}.md").read_text(encoding="utf-8") == render_page(card, folder), (
        "run python -m training.model_pages"
    )
    assert isinstance(card, SequenceCard) or (DOCS / f"{card.name}.png").is_file()


def test_page_of_a_sequence_has_a_row_for_each_length(tmp_path: Path) -> None:
    folder = next(folder for folder in FOLDERS if folder.name == "numbers")
    figures = [
        SequenceMetrics(dataset="composed", split="test", length=length, n=1000, exact_match=0.955, character_error_rate=0.0125)
        for length in (3, None)
    ]
    page = render_page(read_card(folder / CARD_FILE).model_copy(update={"metrics": figures}), tmp_path)
    assert "| composed, test | 3 | 1,000 | 95.50% | 1.25% |" in page
    assert "| composed, test | several | 1,000 | 95.50% | 1.25% |" in page


def test_every_page_is_of_an_existing_model() -> None:
    assert {path.stem for path in DOCS.glob("*.md")} == {folder.name for folder in FOLDERS}
