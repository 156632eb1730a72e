"""The titles of models."""

from pathlib import Path

import pytest
import yaml

from tests.support.processes import ROOT
from ui.api.schemas import Model
from ui.components.model_titles import title
from ui.i18n.translation import translate_to


@pytest.mark.usefixtures("korean")
@pytest.mark.parametrize("card", sorted((ROOT / "models").glob("*/card.yaml")), ids=lambda card: card.parent.name)
def test_every_model_of_the_project_has_a_korean_title(card: Path) -> None:
    name, service_title = (yaml.safe_load(card.read_text("utf-8"))[field] for field in ("name", "title"))
    assert title(Model(name=name, title=service_title)) == translate_to("ko", f"titles.{name}")


def test_other_titles_are_those_of_the_service() -> None:
    assert title(Model(name="digits", title="Digits of my own")) == "Digits of my own"
