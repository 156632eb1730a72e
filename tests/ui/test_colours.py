"""The colours of both themes: contrast as WCAG 2 asks for at level AA, taken from the files the page is made of."""

import re
from pathlib import Path
from typing import Final

import pytest

import ui
from ui.pen import contrast

ROOM: Final = Path(ui.__path__[0])
THEMES: Final = ("light", "dark")
TEXT: Final = 4.5
# Marks that carry meaning without words.
MARK: Final = 3.0


def colours(theme: str) -> dict[str, str]:
    """Every colour of a theme by its name in the style sheet or in Streamlit's configuration."""
    _, _, section = (ROOM / ".streamlit" / "config.toml").read_text(encoding="utf-8").partition(f"[theme.{theme}]\n")
    config = re.findall(r'(\w+Color) = "(#\w{6})"', section.partition("[")[0])
    named = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", (ROOM / "style.css").read_text(encoding="utf-8"))
    own = {name: (light, dark)[THEMES.index(theme)] for name, light, dark in named}
    return own | dict(config)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        ("textColor", "backgroundColor"),
        ("textColor", "secondaryBackgroundColor"),
        ("primaryColor", "backgroundColor"),
        ("primaryColor", "secondaryBackgroundColor"),
        ("text", "ground"),
        ("accent", "ground"),
        ("quiet", "ground"),
        ("quiet", "secondaryBackgroundColor"),
        ("quiet", "raised"),
        ("accent", "raised"),
        ("string", "raised"),
        ("wrong", "ground"),
        ("doubt-text", "doubt"),
    ],
)
def test_words_stand_out(theme: str, ink: str, ground: str) -> None:
    known = colours(theme)
    assert contrast(known[ink], known[ground]) >= TEXT


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("mark", ["accent", "fill"])
def test_bars_stand_out(theme: str, mark: str) -> None:
    known = colours(theme)
    assert contrast(known[mark], known["ground"]) >= MARK


@pytest.mark.parametrize("theme", THEMES)
def test_the_style_sheet_and_streamlit_agree(theme: str) -> None:
    known = colours(theme)
    assert (known["text"], known["accent"], known["ground"], known["raised"], known["line"]) == (
        known["textColor"],
        known["primaryColor"],
        known["backgroundColor"],
        known["secondaryBackgroundColor"],
        known["borderColor"],
    )


@pytest.mark.parametrize("sheet", ["style.css", "parts.css"])
def test_every_colour_has_a_name(sheet: str) -> None:
    # Colours outside the list at the top would not be looked at here. White under pictures is the same in both themes.
    css = (ROOM / sheet).read_text(encoding="utf-8")
    rest = css[css.index("}") :]
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", rest)) <= {"#fff"}
    assert "light-dark(" not in rest
