"""README.ko.md says what README.md says: the same headings, commands, settings and figures, in Korean."""

import re
from typing import Final

import pytest

from tests.support.processes import ROOT

ENGLISH: Final = (ROOT / "README.md").read_text(encoding="utf-8")
KOREAN: Final = (ROOT / "README.ko.md").read_text(encoding="utf-8")
BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def levels(text: str) -> list[int]:
    """The level of every heading."""
    return [len(marks) for marks in re.findall(r"^(#+) ", BLOCK.sub("", text), re.MULTILINE)]


def commands(text: str) -> list[tuple[str, str]]:
    """Every block of code with its language, but for the comments, which are for people."""
    return [(language, re.sub(r" *# .*", "", code)) for language, code in BLOCK.findall(text)]


def sections(text: str) -> list[str]:
    """The text by headings of the second level, without its code."""
    return BLOCK.sub("", text).split("\n## ")


def figures(text: str) -> list[str]:
    """Every number, in the order of size: sentences of two languages put theirs in different places."""
    return sorted(re.findall(r"\d+(?:[.,]\d+)*", text))


def named(text: str) -> set[str]:
    """What is written as code, and where links lead."""
    return set(re.findall(r"`([^`\n]+)`", text)) | set(re.findall(r"\]\(([^)]+)\)", text)) - {"README.md", "README.ko.md"}


def test_the_same_headings() -> None:
    assert levels(KOREAN) == levels(ENGLISH)


def test_the_same_commands() -> None:
    assert commands(ENGLISH)
    assert commands(KOREAN) == commands(ENGLISH)


@pytest.mark.parametrize("place", range(len(sections(ENGLISH))), ids=lambda place: sections(ENGLISH)[place].partition("\n")[0])
def test_the_same_figures_and_names(place: int) -> None:
    english, korean = sections(ENGLISH)[place], sections(KOREAN)[place]
    assert figures(korean) == figures(english)
    assert named(korean) == named(english)
    rows = [re.findall(r"^\| *(.*?) *\|", text, re.MULTILINE) for text in (english, korean)]
    assert len(rows[1]) == len(rows[0])


def test_each_leads_to_the_other() -> None:
    assert "[한국어](README.ko.md)" in ENGLISH.partition("\n## ")[0]
    assert "[English](README.md)" in KOREAN.partition("\n## ")[0]
