"""Fails when a name of an earlier version returns, and says which standard name to use instead."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.support.processes import ROOT

SUFFIXES: Final = frozenset({".py", ".md", ".yaml", ".yml", ".toml", ".js", ".css", ".json", ".j2"})
SKIPPED_FOLDERS: Final = frozenset({"build", "runs", "node_modules"})
THIS_FILE: Final = "tests/test_vocabulary.py"
CHANGELOG: Final = "CHANGELOG.md"

# Old words that no file may contain, alone or as a part of a name, with the standard word.
WORDS: Final = {
    "allowance": "rate limit, TokenBucket",
    "admission": "concurrency limit",
    "lets_go": "should_close",
    "ForeignPages": "CrossSiteGuard",
    "InsideOnly": "InternalAuth",
    "KeyRing": "ApiKeyStore",
    "heartbeat": "health check",
    "told": "last_response, or in a sentence: gets, receives, is answered",
    "mourn": "mark_down",
    "farewell": "close_connections, shutdown",
    "edition": "generation",
    "outlive": "drain_after_callers",
    "introduced": "with_auth",
    "familiarity": "out-of-distribution score",
    "strangers": "out_of_distribution",
    "doubtful": "outlier targets",
    "FrontDoor": "fast path",
    "front door": "fast path",
    "look_after_workers": "harden_arbiter",
    "leave_out_middleware": "disable_middleware",
    "worker_place": "worker slot",
    "upkeep": "commands",
    "contestant": "server under test",
    "contestants": "servers under test",
    "vitals": "process stats",
    "tally": "Stats",
    "paced": "open loop",
    "sevens": "sample images",
    "rarities": "rare formats",
    "desk": "session",
    "shelf": "saved gallery",
    "say_aloud": "announce",
    "rival": "comparison model",
    "the house": "the packages, the tree",
}
# Phrases of plain English, and texts in model cards, that have such a word.
ALLOWED: Final = re.compile(r"told apart|\"not told\"")
# Names of metrics that changed; the changelog may say so.
METRICS: Final = {
    "problems_total": "errors_total",
    "queue_length": "queue_depth",
    "stage_seconds": "stage_duration_seconds",
    "{PREFIX}_problems": "{PREFIX}_errors",
}


@dataclass(frozen=True)
class OldName:
    """A name that also is a word of plain English: only modules, classes, functions or variables may not have it."""

    name: str
    kinds: str  # of: m(odule), c(lass), f(unction or method), v(ariable, attribute or argument)
    standard: str
    folder: str = ""


NAMES: Final = (
    OldName("take", "f", "acquire", "serving/middleware"),
    OldName("turns", "m", "loop_scheduler"),
    OldName("Turns", "c", "LoopScheduler"),
    OldName("TURNS", "v", "a loop scheduler", "serving"),
    OldName("hurry", "f", "tighten"),
    OldName("work", "f", "acquire", "serving/backpressure"),
    OldName("room", "f", "budget", "serving/backpressure"),
    OldName("balance", "m", "connection_balancer"),
    OldName("Balance", "c", "ConnectionBalancer"),
    OldName("origins", "m", "csrf"),
    OldName("sharing", "f", "cors_options"),
    OldName("access", "m", "authentication", "serving"),
    OldName("Access", "c", "Authentication"),
    OldName("proposed", "fv", "candidate"),
    OldName("Rollout", "c", "reload"),
    OldName("_try", "f", "prepare", "serving"),
    OldName("_take", "f", "commit", "serving/registry"),
    OldName("_tell", "f", "report", "serving"),
    OldName("_all", "f", "wait_for_all", "serving"),
    OldName("describe", "f", "status", "serving/inference/runner_service.py"),
    OldName("describe", "f", "status", "service.py"),
    OldName("gone", "f", "is_disconnected", "serving"),
    OldName("Scored", "c", "Prediction"),
    OldName("Reading", "c", "Prediction"),
    OldName("Verdict", "c", "Prediction, Report"),
    OldName("Waited", "c", "Prediction"),
    OldName("Origin", "c", "Prediction"),
    OldName("Share", "c", "LabelScore"),
    OldName("shares", "fv", "probabilities", "serving"),
    OldName("_classify", "f", "run", "serving"),
    OldName("classified", "f", "predict", "serving"),
    OldName("known_answer", "mf", "golden input, golden output"),
    OldName("probe", "mf", "golden, sandbox"),
    OldName("proof", "mf", "verification"),
    OldName("prove", "f", "verify"),
    OldName("proven", "f", "verified"),
    OldName("_proven", "f", "verified"),
    OldName("trial", "mf", "sandbox"),
    OldName("Trial", "c", "sandbox"),
    OldName("examination", "mf", "sandbox, validation"),
    OldName("Examination", "c", "validation"),
    OldName("examine", "f", "sandbox"),
    OldName("check", "m", "validation", "models"),
    OldName("draft", "mf", "card_builder", "models"),
    OldName("worth", "mf", "evaluation", "models"),
    OldName("tail", "mf", "softmax_removal", "models"),
    OldName("ends", "f", "signature", "models"),
    OldName("parts", "f", "walk", "models"),
    OldName("Shot", "c", "FuzzRequest"),
    OldName("attack", "mf", "run", "loadtests/fuzz"),
    OldName("Visit", "c", "Request"),
    OldName("Manner", "c", "send mode"),
    OldName("lines", "m", "connection pool, HTTP client"),
    OldName("Lines", "c", "connection pool"),
    OldName("look", "f", "sample", "loadtests"),
    OldName("promises", "m", "checks"),
    OldName("Promise", "c", "Check"),
    OldName("kept", "fv", "passed", "loadtests"),
    OldName("kept", "mfv", "saved", "ui"),
    OldName("stands", "fv", "passed"),
    OldName("missed", "fv", "dropped", "loadtests"),
    OldName("unsent", "fv", "dropped", "loadtests"),
    OldName("neighbours", "mf", "noisy_neighbours", "loadtests"),
    OldName("frames", "m", "model_inputs", "training"),
    OldName("kinds", "fv", "fine_classes", "training"),
    OldName("making", "mfv", "trainer", "training"),
    OldName("Watch", "c", "callback", "training"),
    OldName("Say", "c", "log", "training"),
    OldName("live", "m", "announce", "ui"),
    OldName("say", "f", "translate", "ui"),
    OldName("say_in", "f", "translate_to", "ui"),
    OldName("choices", "m", "widget_state", "ui"),
    OldName("words", "m", "streamlit_translations", "ui"),
)
# One name, one thing: each of these was defined in several places.
ONCE: Final = ("Entry", "Limits", "Picture", "Stage", "Problem", "Outcome", "Choice", "Catalogue", "Tally", "Verdict")


@cache
def sources() -> dict[str, str]:
    """The text of every source, document and configuration file by its path from the root."""
    found = {}
    for top in sorted(ROOT.iterdir()):
        if top.name in SKIPPED_FOLDERS or (top.name.startswith(".") and top.name != ".github"):
            continue
        paths = sorted(top.rglob("*")) if top.is_dir() else [top]
        for path in paths:
            name = path.relative_to(ROOT).as_posix()
            if (path.suffix in SUFFIXES or path.name == "Makefile") and path.is_file() and name != THIS_FILE:
                found[name] = path.read_text(encoding="utf-8")
    return found


@cache
def lower_case_sources() -> dict[str, str]:
    """The same in lower case: plain searches in it are fast."""
    return {path: text.lower() for path, text in sources().items()}


@cache
def definitions() -> list[tuple[str, int, str, str]]:
    """Path, line, kind and name of every module, class, function and variable that a Python file defines."""
    found = []
    for path, text in sources().items():
        if path.endswith(".py"):
            found.append((path, 1, "m", Path(path).stem.removeprefix("test_")))
            found += [(path, line, kind, name) for line, kind, name in _defined(ast.parse(text))]
    return found


def _defined(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node.lineno, "c", node.name
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, "f", node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, "v", node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, "v", node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, "v", node.attr


def found_lines(word: str, *, skipped: str = "") -> list[str]:
    """Path, number and text of every line that has the word, alone or as a part of a name."""
    pattern = re.compile(rf"(?<![A-Za-z]){re.escape(word)}(?![A-Za-z])", re.IGNORECASE)
    return [
        f"{path}:{number}: {line.strip()[:100]}"
        for path, text in sources().items()
        if path != skipped and word.lower() in lower_case_sources()[path] and pattern.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(ALLOWED.sub("", line))
    ]


def within(path: str, folder: str) -> bool:
    """Whether a file lies in a folder; "" is every folder."""
    return not folder or f"{path}/".startswith(f"{folder}/")


def report(found: list[str], old: str, standard: str) -> None:
    assert not found, f"{old!r} is {standard!r} now:\n" + "\n".join(found)


@pytest.mark.parametrize("old", WORDS)
def test_an_old_word_is_gone(old: str) -> None:
    report(found_lines(old), old, WORDS[old])


@pytest.mark.parametrize("old", METRICS)
def test_an_old_metric_name_is_gone(old: str) -> None:
    report(found_lines(old, skipped=CHANGELOG), old, METRICS[old])


@pytest.mark.parametrize("old", NAMES, ids=lambda old: f"{old.name}-{old.folder}")
def test_no_definition_has_an_old_name(old: OldName) -> None:
    found = [
        f"{path}:{line}: {name}"
        for path, line, kind, name in definitions()
        if name == old.name and kind in old.kinds and within(path, old.folder)
    ]
    report(found, old.name, old.standard)


def places(kind: str, name: str) -> list[str]:
    """Where the code, without the tests, defines a name. ui/api/ repeats the API's schemas, since it may not import serving."""
    return [
        f"{path}:{line}"
        for path, line, defined_kind, defined in definitions()
        if (defined_kind, defined) == (kind, name) and not path.startswith(("tests/", "ui/api/"))
    ]


@pytest.mark.parametrize("name", ONCE)
def test_a_class_name_is_defined_once(name: str) -> None:
    assert len(places("c", name)) <= 1, f"{name} is defined in {', '.join(places('c', name))}"


def test_at_most_one_module_is_named_pictures() -> None:
    assert len(places("m", "pictures")) <= 1, f"Name these modules by what they do: {', '.join(places('m', 'pictures'))}"
