"""Hostile YAML is rejected quickly; YAML as in cards is read as PyYAML reads it."""

import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from models.__main__ import main
from models.card import CARD_FILE, CardError
from models.card_builder import read_partial_card
from models.terminal import printable
from models.yaml_reader import MAX_BYTES, MAX_DEPTH, YamlError, load, read_text
from tests.models.catalogues import models
from tests.support.cost import relative_cost

BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
HOSTILE = {
    "[" * 300_000: "nested deeper than 20 levels",
    "{" * 300_000: "nested deeper than 20 levels",
    "- " * 300_000: "nested deeper than 20 levels",
    "? " * 300_000: "nested deeper than 20 levels",
    BOMB: "aliases",
    "a: &a [*a]": "aliases",
    "a: !!python/object/apply:os.system [id]": "tags",
    "a: !!int 1": "tags",
    f"a: {'9' * 5000}": "number of more than 100 characters",
    f"a: 0x{'f' * 5000}": "number of more than 100 characters",
    f"a: {'9:' * 50_000}9": "number of more than 100 characters",
    "a: 2026-99-99": "not valid",
    "%TAG !a! b\n" * 60_000: "directive",
    "a: [1,\n  2": "flow sequence",
    "a: \x1b": "control characters",
    "---\na\n---\nb": "document",
    "[" + ",".join("0" for _ in range(400_000)) + "]": "parts",
}


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:20].encode("unicode_escape").decode())
def test_hostile_yaml_is_rejected_in_one_line(text: str) -> None:
    def reject() -> None:
        with pytest.raises(YamlError, match=HOSTILE[text]) as error:
            load(text)
        assert "\n" not in str(error.value) and len(str(error.value)) < 500

    assert relative_cost(reject, rounds=1) < 1000


def test_too_large_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / CARD_FILE
    path.write_bytes(b"#" * MAX_BYTES)
    assert len(read_text(path)) == MAX_BYTES
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(YamlError, match="more than 1,000,000 bytes"):
        read_text(path)
    with pytest.raises(CardError, match="more than 1,000,000 bytes"):
        read_partial_card(path)


def test_nesting_is_accepted_up_to_the_limit() -> None:
    assert load("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    with pytest.raises(YamlError):
        load("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**90), 10**90) | st.floats(allow_nan=False) | st.text() | st.dates(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_plain_yaml_round_trips(value: object) -> None:
    text = yaml.dump(value, Dumper=Plain, allow_unicode=True)
    assert load(text) == yaml.safe_load(text)


class Plain(yaml.SafeDumper):
    """Writes no aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def test_import_command_rejects_a_deeply_nested_card(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / CARD_FILE).write_text("[" * 300_000)
    ended = models(tmp_path, "import", str(tmp_path / "deep"))
    assert ended.returncode == 1
    assert ended.stderr == f"{tmp_path}/deep/card.yaml: cannot be read: line 1: it is nested deeper than 20 levels\n"


def test_commands_escape_control_characters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "a\x1b[31m\nFAKE"
    folder.mkdir()
    (folder / CARD_FILE).write_text('title: "\\e[31m"\n"\\e[31m": 1\ntask: "\\e[31m"')
    for arguments in (["list"], ["verify"], ["verify", str(folder)], ["export", "a\x1b", "b"], ["import", str(folder)]):
        main(["--catalogue", str(tmp_path), *arguments])
        said = capsys.readouterr()
        lines = (said.out + said.err).splitlines()
        assert len(lines) == 1 and lines[0].isprintable(), arguments
    sys.stdout.write(printable("a\x1b\r\n\u202e\udcff칠"))
    assert capsys.readouterr().out == "a\\x1b\\r\\n\\u202e\\udcff칠"
