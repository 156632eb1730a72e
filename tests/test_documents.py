"""The links, paths and test names that the documents mention exist."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.support.processes import ROOT

FENCE: Final = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
CODE: Final = re.compile(r"`([^`\n]+)`")
TEST: Final = re.compile(r"(tests/[\w/]+\.py)?::(test_\w+)")
FOLDERS: Final = sorted(path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith("."))
# A path in a folder of the project; a name in capitals stands for any.
PATH: Final = re.compile(rf"(?!.*/[A-Z]+\b)(?:{'|'.join(FOLDERS)})/[\w./*-]*")
WRITTEN_BY_COMMANDS: Final = ("build", "runs", "deploy/compose/secrets", "deploy/compose/local.env")
DOCUMENTS: Final = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), ROOT / "training" / "README.md"]


def anchors(document: Path) -> set[str]:
    """The anchors that GitHub makes of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", document.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def name(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_lead_somewhere(document: Path) -> None:
    missing = []
    for link in LINK.findall(FENCE.sub("", document.read_text(encoding="utf-8"))):
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        if "://" not in link and (not target.exists() or (anchor and anchor not in anchors(target))):
            missing.append(link)
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_paths_exist(document: Path) -> None:
    missing = [
        code
        for code in CODE.findall(FENCE.sub("", document.read_text(encoding="utf-8")))
        if PATH.fullmatch(code) and not code.startswith(WRITTEN_BY_COMMANDS) and not any(ROOT.glob(code.rstrip("/")))
    ]
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_tests_exist(document: Path) -> None:
    missing = []
    for line in document.read_text(encoding="utf-8").splitlines():
        file = ""
        for path, test in TEST.findall(line):
            file = path or file
            text = (ROOT / file).read_text(encoding="utf-8") if file and (ROOT / file).is_file() else ""
            if f"def {test}(" not in text:
                missing.append(f"{file}::{test}")
    assert not missing
