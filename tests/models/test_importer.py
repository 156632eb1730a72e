"""Import of ONNX files and folders into the catalogue and the store."""

from pathlib import Path

import onnx
import pytest
import yaml

from models.__main__ import main
from models.card import CARD_FILE, MODEL_FILE, ModelCard, file_sha256, read_card
from models.store import stored_folder, stored_tags
from tests.models.catalogues import add_cascade, add_model, failing_command
from tests.models.graphs import LABELS, SIZE, fixed, linear, weights

OPTIONS = ("--name", "marks", "--labels", "a-d")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "zoo.onnx"
    onnx.save(fixed(), path)
    return path


def other(tmp_path: Path, k: int = LABELS) -> Path:
    """An ONNX file with other weights."""
    graph = linear(k)
    graph.graph.initializer[0].raw_data = (weights(k) * 2).tobytes()
    path = tmp_path / "other.onnx"
    onnx.save(graph, path)
    return path


def test_file_with_fixed_batch_is_imported(catalogue: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(file), *OPTIONS, "--title", "Marks", "--data", "none"]) == 0
    output = capsys.readouterr().out
    assert "marks:1.0.0: batch size of 1 made dynamic" in output
    assert "ms an image in a batch of 32, on one thread" in output
    assert "not evaluated" in output
    assert "marks:1.0.0 imported" in output
    card = read_card(catalogue / "marks" / CARD_FILE)
    assert isinstance(card, ModelCard)
    assert (card.title, card.labels, card.input.height) == ("Marks", ["a", "b", "c", "d"], SIZE)
    assert card.sha256 == file_sha256(catalogue / "marks" / MODEL_FILE) != file_sha256(file)
    assert card.provenance.data == ["none"]
    assert file_sha256(file) in card.provenance.revision
    stored = stored_folder("marks:1.0.0")
    assert stored is not None
    assert read_card(stored / CARD_FILE) == card
    assert main(["verify"]) == main(["list"]) == main(["import"]) == 0
    output = capsys.readouterr().out
    assert "marks:1.0.0 matches its card" in output
    assert "in the store  Marks" in output
    assert "marks:1.0.0 is in the store already" in output
    assert [path.name for path in catalogue.iterdir()] == ["marks"]


def test_same_file_can_be_imported_twice_another_needs_a_higher_version(
    catalogue: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(file), *OPTIONS]) == main(["import", str(file), *OPTIONS]) == 0
    assert "marks:1.0.0 is in the store already" in capsys.readouterr().out
    before = file_sha256(catalogue / "marks" / MODEL_FILE)
    text = failing_command("import", other(tmp_path), *OPTIONS, output=capsys)
    assert "holds marks:1.0.0. Give another name or a higher version, or import with --replace." in text
    assert "holds marks:1.0.0" in failing_command("import", other(tmp_path), *OPTIONS, "--version", "0.9.0", output=capsys)
    assert file_sha256(catalogue / "marks" / MODEL_FILE) == before
    assert main(["import", str(other(tmp_path)), *OPTIONS, "--version", "1.10.0"]) == 0
    assert main(["import", str(file), *OPTIONS, "--version", "1.9.0", "--replace"]) == 0
    assert file_sha256(catalogue / "marks" / MODEL_FILE) == before
    assert stored_tags("marks") == ["marks:1.0.0", "marks:1.9.0", "marks:1.10.0"]
    assert [path.name for path in catalogue.iterdir()] == ["marks"]


def test_new_card_of_the_same_model_keeps_other_files(catalogue: Path, file: Path) -> None:
    assert main(["import", str(file), *OPTIONS]) == 0
    (catalogue / "marks" / "notes.txt").touch()
    assert main(["import", str(file), *OPTIONS, "--title", "Marks"]) == 0
    assert read_card(catalogue / "marks" / CARD_FILE).title == "Marks"
    assert (catalogue / "marks" / "notes.txt").exists()


def test_options_override_the_given_card(catalogue: Path, file: Path, tmp_path: Path) -> None:
    given = {"name": "marks", "labels": ["1", "2", "3", "4"], "title": "From the card", "licence": "MIT"}
    card = tmp_path / "given.yaml"
    card.write_text(
        yaml.safe_dump({**given, "input": {"geometry": {"polarity": "dark_on_light"}}, "sha256": file_sha256(file)})
    )
    assert main(["import", str(file), "--card", str(card), "--title", "From the option", "--std", "0.5"]) == 0
    read = read_card(catalogue / "marks" / CARD_FILE)
    assert isinstance(read, ModelCard)
    assert (read.title, read.licence, read.labels) == ("From the option", "MIT", ["1", "2", "3", "4"])
    assert (read.input.placement.polarity, read.input.placement.fit_box) == ("dark_on_light", 6)
    assert read.input.normalisation.std == (0.5,)
    assert main(["import", str(file), "--card", str(catalogue / "marks" / CARD_FILE)]) == 0


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--name", "marks", "--labels", "a-c"), "returns 4 scores, the card of marks:1.0.0 has 3 labels"),
        (("--labels", "a-d"), "name must be given"),
        ((), "name must be given"),
        (("--name", "../marks", "--labels", "a-d"), "'../marks' is not a name: take a-z, 0-9 and -"),
        (("--name", "marks-", "--labels", "a-d"), "'marks-' is not a name"),
        ((*OPTIONS, "--std", "0"), "input.normalisation.std"),
        ((*OPTIONS, "--fit-box", "9"), "fit_box 9 is larger than size 8"),
        ((*OPTIONS, "--card", "nothing.yaml"), "nothing.yaml: cannot be read"),
        ((*OPTIONS, "--pictures", "nothing"), "nothing: is not a folder of pictures"),
    ],
)
def test_invalid_import_is_rejected_and_writes_nothing(
    catalogue: Path, file: Path, options: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reason in failing_command("import", file, *options, output=capsys)
    assert not catalogue.exists() or not list(catalogue.iterdir())
    assert stored_tags("marks") == []


def test_card_with_another_input_shape_is_rejected(
    catalogue: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = tmp_path / "given.yaml"
    card.write_text(yaml.safe_dump({"name": "marks", "labels": list("abcd"), "input": {"size": 28, "channels": 3}}))
    assert "input 'x' has the shape [1, 1, 8, 8], which is not 28 pixels" in failing_command(
        "import", file, "--card", card, output=capsys
    )
    assert not list(catalogue.iterdir())


def test_options_for_a_file_are_rejected_for_a_folder(catalogue: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_model(catalogue, "marks", "ab")
    assert "are for one ONNX file" in failing_command("import", catalogue / "marks", "--title", "Marks", output=capsys)


@pytest.mark.parametrize("path", ["nothing.onnx", "nothing"])
def test_missing_path_is_named_in_the_error(catalogue: Path, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert failing_command("import", catalogue / path, *(OPTIONS if ".onnx" in path else ()), output=capsys).startswith(
        f"{catalogue / path}"
    )


def test_folder_outside_the_catalogue_is_copied_into_it(catalogue: Path, tmp_path: Path) -> None:
    add_model(tmp_path / "elsewhere", "marks", "ab")
    assert main(["import", str(tmp_path / "elsewhere" / "marks")]) == 0
    for name in (CARD_FILE, MODEL_FILE):
        assert (catalogue / "marks" / name).read_bytes() == (tmp_path / "elsewhere" / "marks" / name).read_bytes()
    assert stored_tags("marks") == ["marks:1.0.0"]


def test_folder_must_have_the_name_of_its_model(catalogue: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_model(catalogue, "marks", "ab")
    (catalogue / "marks").rename(catalogue / "signs")
    assert "the folder of marks must be called marks" in failing_command("import", output=capsys)


def test_folder_with_a_file_that_needs_changes_is_rejected(
    catalogue: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(file), *OPTIONS]) == 0
    card = read_card(catalogue / "marks" / CARD_FILE)
    (catalogue / "marks" / MODEL_FILE).write_bytes(file.read_bytes())
    content = {**card.model_dump(mode="json"), "sha256": file_sha256(file)}
    (catalogue / "marks" / CARD_FILE).write_text(yaml.safe_dump(content))
    assert "cannot be served as it is (batch size of 1 made dynamic" in failing_command("verify", output=capsys)


def test_model_used_by_a_cascade_keeps_its_version(
    catalogue: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(file), *OPTIONS]) == 0
    add_model(catalogue, "digits", "01")
    add_cascade(catalogue, "both", "marks:1.0.0", {"a": "digits:1.0.0"}, [*"01bcd"])
    assert main(["import"]) == 0
    text = failing_command("import", other(tmp_path), *OPTIONS, "--version", "2.0.0", output=capsys)
    assert "both names marks:1.0.0. Give another name, or remove both first." in text
    assert main(["import", str(other(tmp_path)), *OPTIONS, "--replace"]) == 0
    assert main(["verify"]) == 0


def test_invalid_card_in_the_store_is_replaced(catalogue: Path) -> None:
    add_model(catalogue, "marks", "ab")
    assert main(["import"]) == 0
    stored = stored_folder("marks:1.0.0")
    assert stored is not None
    (stored / CARD_FILE).write_text("name: marks\n")
    assert main(["import"]) == 0
    assert read_card(stored / CARD_FILE) == read_card(catalogue / "marks" / CARD_FILE)
