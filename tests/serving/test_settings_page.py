from serving.settings import Settings
from serving.settings_page import PAGE, page
from tests.support.processes import ROOT


def test_the_page_matches_the_settings_class() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "docs/settings.md is out of date: run `python -m serving.settings_page`"


def test_every_setting_has_a_row_with_a_description() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert f"| `{name.upper()}` |" in page(), name


def test_the_settings_of_the_drawing_page_exist() -> None:
    rows = page().partition("## Settings of the drawing page")[2].partition("\n## ")[0]
    names = [row.split("`")[1] for row in rows.splitlines() if row.startswith("| `")]
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "ui").rglob("*.py"))
    assert names
    for name in names:
        assert f'environ.get("{name}"' in source, name
