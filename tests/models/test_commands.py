"""Commands on imported models: list, export, restore, remove."""

from pathlib import Path

import pytest

from models.__main__ import main
from models.card import CARD_FILE, MODEL_FILE
from models.store import stored_tags
from tests.models.catalogues import add_cascade, add_model, failing_command


def test_exported_model_imports_again_unchanged_after_removal(
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


def test_export_takes_an_older_version_from_the_store(catalogue: Path, tmp_path: Path) -> None:
    add_model(catalogue, "marks", "ab")
    assert main(["import"]) == 0
    add_model(tmp_path, "marks", "abc", version="1.1.0")
    assert main(["import", str(tmp_path / "marks")]) == 0
    for version, target in (("1.0.0", "old"), ("1.1.0", "new")):
        assert main(["export", f"marks:{version}", str(tmp_path / target)]) == 0
        assert f"version: {version}" in (tmp_path / target / "marks" / CARD_FILE).read_text()


def test_export_does_not_overwrite_another_model(catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_model(catalogue, "marks", "ab")
    assert main(["export", "marks", str(tmp_path)]) == main(["export", "marks", str(tmp_path)]) == 0
    (tmp_path / "marks" / MODEL_FILE).write_bytes(b"precious")
    assert "holds other files" in failing_command("export", "marks", tmp_path, output=capsys)
    assert (tmp_path / "marks" / MODEL_FILE).read_bytes() == b"precious"


def test_export_rejects_a_model_with_the_wrong_sha256(
    catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_model(catalogue, "marks", "ab")
    (catalogue / "marks" / MODEL_FILE).write_bytes(b"changed")
    assert "sha256" in failing_command("export", "marks", tmp_path, output=capsys)


def test_remove_deletes_a_single_version(catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_model(catalogue, "marks", "ab")
    assert main(["import"]) == 0
    add_model(tmp_path, "marks", "abc", version="1.1.0")
    assert main(["import", str(tmp_path / "marks")]) == main(["remove", "marks:1.0.0"]) == 0
    assert stored_tags("marks") == ["marks:1.1.0"]
    assert (catalogue / "marks").is_dir()
    assert "marks:1.0.0 is neither in" in failing_command("remove", "marks:1.0.0", output=capsys)


def test_remove_rejects_a_model_used_by_a_cascade(catalogue: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_model(catalogue, "kind", ["digit", "other"])
    add_model(catalogue, "digits", "01")
    add_cascade(catalogue, "both", "kind:1.0.0", {"digit": "digits:1.0.0"}, ["0", "1", "other"])
    assert main(["import"]) == 0
    for reference in ("digits", "digits:1.0.0", "kind"):
        assert f"both names {reference}; remove both first" in failing_command("remove", reference, output=capsys)
    assert main(["verify"]) == main(["remove", "both"]) == main(["remove", "digits"]) == 0
    assert [path.name for path in catalogue.iterdir()] == ["kind"]


def test_remove_works_with_an_invalid_card(catalogue: Path) -> None:
    add_model(catalogue, "marks", "ab")
    (catalogue / "marks" / CARD_FILE).write_text("name: [")
    assert main(["remove", "marks"]) == 0
    assert not (catalogue / "marks").exists()


@pytest.mark.parametrize("reference", ["../marks", "/etc", "marks:1", "Marks", "", ".", "marks/../marks"])
def test_references_that_are_not_names_are_rejected(
    catalogue: Path, tmp_path: Path, reference: str, capsys: pytest.CaptureFixture[str]
) -> None:
    add_model(tmp_path, "marks", "ab")
    add_model(catalogue, "marks", "ab")
    assert "is not a model: give NAME or NAME:VERSION" in failing_command("remove", reference, output=capsys)
    assert "is not a model: give NAME or NAME:VERSION" in failing_command("export", reference, tmp_path, output=capsys)
    assert (tmp_path / "marks" / MODEL_FILE).exists()


@pytest.mark.parametrize("command", [("remove", "marks"), ("export", "marks", "out"), ("export", "marks:2.0.0", "out")])
def test_unknown_model_is_rejected(catalogue: Path, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert f"{command[1]} is neither in {catalogue} nor in the BentoML model store" in failing_command(*command, output=capsys)


def test_list_shows_stored_unimported_and_invalid_models(catalogue: Path, capsys: pytest.CaptureFixture[str]) -> None:
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
def test_empty_catalogue_is_an_error(catalogue: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert failing_command(command, output=capsys) == f"{catalogue}: holds no models (NAME/card.yaml)\n"


def test_restore_switches_between_versions(catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_model(catalogue, "marks", "ab")
    assert main(["import"]) == 0
    add_model(tmp_path, "marks", "abc", version="1.1.0")
    assert main(["import", str(tmp_path / "marks")]) == 0
    for version in ("1.0.0", "1.1.0"):
        assert main(["restore", f"marks:{version}"]) == 0
        assert f"marks:{version} is in the catalogue again" in capsys.readouterr().out
        assert f"version: {version}" in (catalogue / "marks" / CARD_FILE).read_text()
        assert stored_tags("marks") == ["marks:1.0.0", "marks:1.1.0"]
    assert "which holds marks:1.0.0, marks:1.1.0" in failing_command("restore", "marks:2.0.0", output=capsys)
    assert "marks is not a version" in failing_command("restore", "marks", output=capsys)
    assert "which holds no other" in failing_command("restore", "other:1.0.0", output=capsys)
