"""The documentation of the page and the gallery is up to date."""

import json
import re

from PIL import Image

from serving.http.gallery_schemas import GalleryEntry
from tests.browser.screenshot import FOLDER, THEMES, windows_of
from tests.browser.states import STATES
from tests.support.processes import ROOT
from ui.api.schemas import ServiceLimits

MAX_BYTES = 64_000


def test_every_state_has_a_screenshot_in_every_theme_and_window() -> None:
    shown = re.findall(r'src="images/ui/([\w-]+\.png)"', (ROOT / "docs" / "ui.md").read_text(encoding="utf-8"))
    taken = [f"{state}-{theme}-{window}.png" for state in STATES for window in windows_of(state) for theme in THEMES]
    assert shown == taken
    assert {file.name for file in (FOLDER / "ui").iterdir()} == set(taken)


def test_screenshots_are_small() -> None:
    assert {file.name: file.stat().st_size for file in (FOLDER / "ui").iterdir() if file.stat().st_size > MAX_BYTES} == {}


def test_example_of_a_gallery_entry_has_every_field() -> None:
    example = re.search(r"^```json\n(.*?)^```", (ROOT / "docs" / "gallery.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert example is not None
    assert list(json.loads(example[1])) == list(GalleryEntry.model_fields)


def test_upload_limit_is_documented() -> None:
    config = (ROOT / "ui" / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    limit = re.search(r"^maxUploadSize = (\d+)$", config, re.MULTILINE)
    assert limit is not None
    assert f"takes files of up to {limit[1]} MB" in " ".join((ROOT / "docs" / "ui.md").read_text(encoding="utf-8").split())
    assert int(limit[1]) * 2**20 > ServiceLimits().max_image_bytes


def test_readme_shows_a_current_screenshot() -> None:
    readme, page = (Image.open(FOLDER / name) for name in ("page.png", "ui/explained-light-wide.png"))
    assert readme.convert("RGB").tobytes() == page.convert("RGB").crop((0, 0, *readme.size)).tobytes()
