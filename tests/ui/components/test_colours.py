"""Colours of both themes, read from the stylesheet and Streamlit's configuration: contrast of WCAG 2 level AA."""

import re
from pathlib import Path
from typing import Final

import pytest

import ui
from ui.components.pen import contrast

FOLDER: Final = Path(ui.__path__[0])
THEMES: Final = ("light", "dark")
MIN_TEXT_CONTRAST: Final = 4.5
# Graphics that carry meaning.
MIN_GRAPHICS_CONTRAST: Final = 3.0


def colours(theme: str) -> dict[str, str]:
    """Return the colours of a theme by their names in the stylesheet and in Streamlit's configuration."""
    _, _, section = (FOLDER / ".streamlit" / "config.toml").read_text(encoding="utf-8").partition(f"[theme.{theme}]\n")
    config = re.findall(r'(\w+Color) = "(#\w{6})"', section.partition("[")[0])
    css = (FOLDER / "assets" / "page.css").read_text(encoding="utf-8")
    named = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", css)
    own = {name: (light, dark)[THEMES.index(theme)] for name, light, dark in named}
    return own | dict(config)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("text", "background"),
    [
        ("textColor", "backgroundColor"),
        ("textColor", "secondaryBackgroundColor"),
        ("primaryColor", "backgroundColor"),
        ("primaryColor", "secondaryBackgroundColor"),
        ("text", "page-background"),
        ("accent", "page-background"),
        ("muted", "page-background"),
        ("muted", "secondaryBackgroundColor"),
        ("muted", "surface"),
        ("accent", "surface"),
        ("string", "surface"),
        ("error", "page-background"),
        ("notice-text", "notice"),
    ],
)
def test_text_has_enough_contrast(theme: str, text: str, background: str) -> None:
    known = colours(theme)
    assert contrast(known[text], known[background]) >= MIN_TEXT_CONTRAST


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("mark", ["accent", "fill"])
def test_bars_have_enough_contrast(theme: str, mark: str) -> None:
    known = colours(theme)
    assert contrast(known[mark], known["page-background"]) >= MIN_GRAPHICS_CONTRAST


@pytest.mark.parametrize("theme", THEMES)
def test_stylesheet_and_streamlit_have_the_same_colours(theme: str) -> None:
    known = colours(theme)
    assert (known["text"], known["accent"], known["page-background"], known["surface"], known["line"]) == (
        known["textColor"],
        known["primaryColor"],
        known["backgroundColor"],
        known["secondaryBackgroundColor"],
        known["borderColor"],
    )


@pytest.mark.parametrize("name", ["page.css", "picture.css", "answer.css", "files.css", "gallery.css"])
def test_colours_are_defined_as_variables_only(name: str) -> None:
    # Other colours would not be checked here. White behind pictures is the same in both themes.
    css = (FOLDER / "assets" / name).read_text(encoding="utf-8")
    rest = css[css.index("}") :]
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", rest)) <= {"#fff"}
    assert "light-dark(" not in rest
