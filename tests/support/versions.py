"""A small model of two versions, and a service of it."""

from pathlib import Path

from models.card import CARD_FILE, ModelCard, write_card
from tests.models.catalogues import add_model, models
from tests.support.references import reference

LABELS = {"1.0.0": ["a", "b"], "2.0.0": ["c", "d", "e"]}


def bring(home: Path, version: str) -> ModelCard:
    """Import a version of the model into the store and the catalogue of ``home``."""
    labels = LABELS[version]
    card = add_model(home / version, "marks", labels, version)
    card = card.model_copy(update={"reference": reference(labels * 300)})
    write_card(card, home / version / "marks" / CARD_FILE)
    done = models(home, "import", str(home / version / "marks"), catalogue=home / "catalogue")
    assert done.returncode == 0, done.stderr
    return card


def settings(home: Path) -> dict[str, str]:
    return {"CATALOGUE": str(home / "catalogue"), "DEFAULT_MODEL": "marks", "GALLERY": "false"}
