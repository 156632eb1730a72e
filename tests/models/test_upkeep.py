from pathlib import Path

import pytest

from models.__main__ import main
from models.card import CARD_FILE, MODEL_FILE
from models.store import stored_tags
from tests.models.catalogues import add_cascade, add_model
from tests.models.test_imports import catalogue, refused

__all__ = ["catalogue"]


def test_what_is_exported_and_removed_comes_back_to_the_byte(
    catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_model(catalogue, "marks", "ab")
    assert main(["import"]) == main(["export", "marks", str(tmp_path / "out")]) == 0
    assert "marks:1.0.0 written to" in capsys.readouterr().out
    before = {name: (catalogue / "marks" / name).read_bytes() for name in (CARD_FILE, MODEL_FILE)}
    assert main(["remove", "marks"]) == 0
    assert "removed marks:1.0.0 from the store" in capsys.readouterr().out
    assert stored_tags("marks") == []
    assert list(catalogue.iterdir()) == []
    assert main(["import", str(tmp_path / "out" / "marks")]) == 0
    assert {name: (catalogue / "marks" / name).read_bytes() for name in before} == before
    assert stored_tags("marks") == ["marks:1.0.0"]


def test_an_older_version_is_exported_from_the_store(catalogue: Path, tmp_path: Path) -> None:
    add_model(catalogue, "marks", "ab")
    assert main(["import"]) == 0
    add_model(tmp_path, "marks", "abc", version="1.1.0")
    assert main(["import", str(tmp_path / "marks")]) == 0
    for version, target in (("1.0.0", "old"), ("1.1.0", "new")):
        assert main(["export", f"marks:{version}", str(tmp_path / target)]) == 0
        assert f"version: {version}" in (tmp_path / target / "marks" / CARD_FILE).read_text()


def test_an_export_overwrites_nothing_else(catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_model(catalogue, "marks", "ab")
    assert main(["export", "marks", str(tmp_path)]) == main(["export", "marks", str(tmp_path)]) == 0
    (tmp_path / "marks" / MODEL_FILE).write_bytes(b"precious")
    assert "holds something else" in refused("export", "marks", tmp_path, said=capsys)
    assert (tmp_path / "marks" / MODEL_FILE).read_bytes() == b"precious"


def test_a_changed_model_is_not_exported(catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_model(catalogue, "marks", "ab")
    (catalogue / "marks" / MODEL_FILE).write_bytes(b"changed")
    assert "sha256" in refused("export", "marks", tmp_path, said=capsys)


def test_one_version_is_removed(catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_model(catalogue, "marks", "ab")
    assert main(["import"]) == 0
    add_model(tmp_path, "marks", "abc", version="1.1.0")
    assert main(["import", str(tmp_path / "marks")]) == main(["remove", "marks:1.0.0"]) == 0
    assert stored_tags("marks") == ["marks:1.1.0"]
    assert (catalogue / "marks").is_dir()
    assert "marks:1.0.0 is neither in" in refused("remove", "marks:1.0.0", said=capsys)


def test_a_model_that_a_cascade_names_is_not_removed(catalogue: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_model(catalogue, "kind", ["digit", "other"])
    add_model(catalogue, "digits", "01")
    add_cascade(catalogue, "both", "kind:1.0.0", {"digit": "digits:1.0.0"}, ["0", "1", "other"])
    assert main(["import"]) == 0
    for wanted in ("digits", "digits:1.0.0", "kind"):
        assert f"both names {wanted}; remove both first" in refused("remove", wanted, said=capsys)
    assert main(["verify"]) == main(["remove", "both"]) == main(["remove", "digits"]) == 0
    assert [path.name for path in catalogue.iterdir()] == ["kind"]


def test_a_broken_model_can_be_removed(catalogue: Path) -> None:
    add_model(catalogue, "marks", "ab")
    (catalogue / "marks" / CARD_FILE).write_text("name: [")
    assert main(["remove", "marks"]) == 0
    assert not (catalogue / "marks").exists()


@pytest.mark.parametrize("wanted", ["../marks", "/etc", "marks:1", "Marks", "", ".", "marks/../marks"])
def test_only_names_are_taken(catalogue: Path, tmp_path: Path, wanted: str, capsys: pytest.CaptureFixture[str]) -> None:
    add_model(tmp_path, "marks", "ab")
    add_model(catalogue, "marks", "ab")
    assert "is no model: give NAME or NAME:VERSION" in refused("remove", wanted, said=capsys)
    assert "is no model: give NAME or NAME:VERSION" in refused("export", wanted, tmp_path, said=capsys)
    assert (tmp_path / "marks" / MODEL_FILE).exists()


@pytest.mark.parametrize("command", [("remove", "marks"), ("export", "marks", "out"), ("export", "marks:2.0.0", "out")])
def test_a_model_that_is_nowhere_is_refused(
    catalogue: Path, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"{command[1]} is neither in {catalogue} nor in the BentoML model store" in refused(*command, said=capsys)


def test_the_list_says_what_is_stored_and_what_is_broken(catalogue: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_model(catalogue, "marks", "ab")
    assert main(["import"]) == 0
    add_model(catalogue, "signs", "abc", version="3.2.1")
    add_model(catalogue, "tokens", "abc")
    (catalogue / "tokens" / CARD_FILE).write_text("name: [")
    capsys.readouterr()
    assert main(["list"]) == 0
    marks, signs, tokens = capsys.readouterr().out.strip().splitlines()[:3]
    assert marks.split() == ["marks:1.0.0", "classify", "2", "labels", "in", "the", "store", "marks"]
    assert signs.split() == ["signs:3.2.1", "classify", "3", "labels", "not", "imported", "signs"]
    assert tokens.startswith("tokens ")
    assert "cannot be read" in tokens


@pytest.mark.parametrize("command", ["import", "verify", "list"])
def test_an_empty_catalogue_is_named(catalogue: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(command, said=capsys) == f"{catalogue}: holds no models (NAME/card.yaml)\n"


def test_an_older_version_takes_its_place_again(catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_model(catalogue, "marks", "ab")
    assert main(["import"]) == 0
    add_model(tmp_path, "marks", "abc", version="1.1.0")
    assert main(["import", str(tmp_path / "marks")]) == 0
    for version in ("1.0.0", "1.1.0"):
        assert main(["restore", f"marks:{version}"]) == 0
        assert f"marks:{version} is in the catalogue again" in capsys.readouterr().out
        assert f"version: {version}" in (catalogue / "marks" / CARD_FILE).read_text()
        assert stored_tags("marks") == ["marks:1.0.0", "marks:1.1.0"]
    assert "which holds marks:1.0.0, marks:1.1.0" in refused("restore", "marks:2.0.0", said=capsys)
    assert "marks is no version" in refused("restore", "marks", said=capsys)
    assert "which holds no other" in refused("restore", "other:1.0.0", said=capsys)
