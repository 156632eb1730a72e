"""docs/models/: a page for each model, generated from its card."""

from pathlib import Path

import pytest

from models.card import CARD_FILE, read_card
from models.store import card_folders
from training.model_pages import DOCS, render_page

FOLDERS = card_folders()


@pytest.mark.parametrize("folder", FOLDERS, ids=[folder.name for folder in FOLDERS])
def test_page_is_generated_from_the_card(folder: Path) -> None:
    card = read_card(folder / CARD_FILE)
    assert (DOCS / f"{card.name}.md").read_text(encoding="utf-8") == render_page(card, folder), (
        "run python -m training.model_pages"
    )
    assert (DOCS / f"{card.name}.png").is_file()


def test_every_page_is_of_an_existing_model() -> None:
    assert {path.stem for path in DOCS.glob("*.md")} == {folder.name for folder in FOLDERS}
