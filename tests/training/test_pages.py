"""docs/models/: a page for each model, true to its card."""

from pathlib import Path

import pytest

from models.card import CARD_FILE, read_card
from models.store import card_folders
from training.pages import DOCS, page

FOLDERS = card_folders()


@pytest.mark.parametrize("folder", FOLDERS, ids=[folder.name for folder in FOLDERS])
def test_the_page_of_a_model_says_what_its_card_says(folder: Path) -> None:
    card = read_card(folder / CARD_FILE)
    assert (DOCS / f"{card.name}.md").read_text(encoding="utf-8") == page(card, folder), "run python -m training.pages"
    assert (DOCS / f"{card.name}.png").is_file()


def test_no_page_is_left_of_a_model_that_is_gone() -> None:
    assert {path.stem for path in DOCS.glob("*.md")} == {folder.name for folder in FOLDERS}
