"""What docs/ shows of the page and its gallery is what there is."""

import json
import re

from serving.entries import GalleryEntry
from tests.browser.screenshot import FOLDER, THEMES, WINDOWS
from tests.browser.states import STATES
from tests.processes import ROOT

LARGEST = 64_000


def test_every_state_is_shown_in_every_theme_and_window() -> None:
    shown = re.findall(r'src="images/ui/([\w-]+\.png)"', (ROOT / "docs" / "ui.md").read_text(encoding="utf-8"))
    taken = [f"{state}-{theme}-{window}.png" for state in STATES for window in WINDOWS for theme in THEMES]
    assert shown == taken
    assert {file.name for file in (FOLDER / "ui").iterdir()} == set(taken)


def test_pictures_are_small() -> None:
    assert {file.name: file.stat().st_size for file in (FOLDER / "ui").iterdir() if file.stat().st_size > LARGEST} == {}


def test_the_gallery_s_entry_has_every_field() -> None:
    example = re.search(r"^```json\n(.*?)^```", (ROOT / "docs" / "gallery.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert example is not None
    assert list(json.loads(example[1])) == list(GalleryEntry.model_fields)
