"""ONNX files and folders through the command into a catalogue and a store."""

from pathlib import Path

import onnx
import pytest
import yaml

from models.__main__ import main
from models.card import CARD_FILE, MODEL_FILE, ModelCard, file_sha256, read_card
from models.store import stored_folder, stored_tags
from tests.models.catalogues import add_cascade, add_model
from tests.models.graphs import LABELS, SIZE, fixed, linear, weights

NAMED = ("--name", "marks", "--labels", "a-d")


@pytest.fixture
def catalogue(tmp_path: Path, store: Path, examined_here: None, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: ARG001
    """The catalogue that the command takes; not there yet."""
    monkeypatch.setenv("CATALOGUE", str(tmp_path / "catalogue"))
    return tmp_path / "catalogue"


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


def refused(*arguments: object, said: "pytest.CaptureFixture[str]") -> str:
    """What the command says on standard error when it ends with 1."""
    said.readouterr()
    assert main([*map(str, arguments)]) == 1
    text = said.readouterr().err
    assert text.count("\n") == 1
    return text


def test_a_file_with_a_fixed_batch_comes_in(catalogue: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(file), *NAMED, "--title", "Marks", "--data", "none"]) == 0
    said = capsys.readouterr().out
    assert "marks:1.0.0: batch of 1 made free" in said
    assert "ms an image in a batch of 32, on one thread" in said
    assert "not measured" in said
    assert "marks:1.0.0 imported" in said
    card = read_card(catalogue / "marks" / CARD_FILE)
    assert isinstance(card, ModelCard)
    assert (card.title, card.labels, card.input.size) == ("Marks", ["a", "b", "c", "d"], SIZE)
    assert card.sha256 == file_sha256(catalogue / "marks" / MODEL_FILE) != file_sha256(file)
    assert card.provenance.data == ["none"]
    assert file_sha256(file) in card.provenance.revision
    stored = stored_folder("marks:1.0.0")
    assert stored is not None
    assert read_card(stored / CARD_FILE) == card
    assert main(["verify"]) == main(["list"]) == main(["import"]) == 0
    said = capsys.readouterr().out
    assert "marks:1.0.0 fits its card" in said
    assert "in the store  Marks" in said
    assert "marks:1.0.0 is in the store already" in said
    assert [path.name for path in catalogue.iterdir()] == ["marks"]


def test_the_same_file_comes_in_twice_and_another_does_not(
    catalogue: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(file), *NAMED]) == main(["import", str(file), *NAMED]) == 0
    assert "marks:1.0.0 is in the store already" in capsys.readouterr().out
    before = file_sha256(catalogue / "marks" / MODEL_FILE)
    text = refused("import", other(tmp_path), *NAMED, said=capsys)
    assert "holds marks:1.0.0. Give another name or a higher version, or import with --replace." in text
    assert "holds marks:1.0.0" in refused("import", other(tmp_path), *NAMED, "--version", "0.9.0", said=capsys)
    assert file_sha256(catalogue / "marks" / MODEL_FILE) == before
    assert main(["import", str(other(tmp_path)), *NAMED, "--version", "1.10.0"]) == 0
    assert main(["import", str(file), *NAMED, "--version", "1.9.0", "--replace"]) == 0
    assert file_sha256(catalogue / "marks" / MODEL_FILE) == before
    assert stored_tags("marks") == ["marks:1.0.0", "marks:1.9.0", "marks:1.10.0"]
    assert [path.name for path in catalogue.iterdir()] == ["marks"]


def test_a_new_card_of_the_same_model_leaves_the_rest_of_its_folder(catalogue: Path, file: Path) -> None:
    assert main(["import", str(file), *NAMED]) == 0
    (catalogue / "marks" / "notes.txt").touch()
    assert main(["import", str(file), *NAMED, "--title", "Marks"]) == 0
    assert read_card(catalogue / "marks" / CARD_FILE).title == "Marks"
    assert (catalogue / "marks" / "notes.txt").exists()


def test_a_card_says_what_options_would_and_options_say_it_louder(catalogue: Path, file: Path, tmp_path: Path) -> None:
    given = {"name": "marks", "labels": ["1", "2", "3", "4"], "title": "From the card", "licence": "MIT"}
    card = tmp_path / "given.yaml"
    card.write_text(
        yaml.safe_dump({**given, "input": {"geometry": {"polarity": "dark_on_light"}}, "sha256": file_sha256(file)})
    )
    assert main(["import", str(file), "--card", str(card), "--title", "From the option", "--std", "0.5"]) == 0
    read = read_card(catalogue / "marks" / CARD_FILE)
    assert isinstance(read, ModelCard)
    assert (read.title, read.licence, read.labels) == ("From the option", "MIT", ["1", "2", "3", "4"])
    assert (read.input.geometry.polarity, read.input.geometry.fit_box) == ("dark_on_light", 6)
    assert read.input.normalisation.std == 0.5
    assert main(["import", str(file), "--card", str(catalogue / "marks" / CARD_FILE)]) == 0


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--name", "marks", "--labels", "a-c"), "tells 4 classes apart, the card of marks:1.0.0 has 3 labels"),
        (("--name", "marks"), "labels must be given"),
        (("--labels", "a-d"), "name must be given"),
        ((), "name and labels must be given"),
        (("--name", "../marks", "--labels", "a-d"), "name: String should match"),
        ((*NAMED, "--std", "0"), "input.normalisation.std"),
        ((*NAMED, "--fit-box", "9"), "fit_box 9 is larger than size 8"),
        ((*NAMED, "--card", "nothing.yaml"), "nothing.yaml: cannot be read"),
        ((*NAMED, "--pictures", "nothing"), "nothing: is no folder of pictures"),
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_nothing(
    catalogue: Path, file: Path, options: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reason in refused("import", file, *options, said=capsys)
    assert not catalogue.exists() or not list(catalogue.iterdir())
    assert stored_tags("marks") == []


def test_a_card_of_another_input_is_refused(
    catalogue: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = tmp_path / "given.yaml"
    card.write_text(yaml.safe_dump({"name": "marks", "labels": list("abcd"), "input": {"size": 28, "channels": 3}}))
    assert "the input is 1x8x8, the card of marks:1.0.0 says 3x28x28" in refused("import", file, "--card", card, said=capsys)
    assert not list(catalogue.iterdir())


def test_options_of_a_file_do_not_go_with_folders(catalogue: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_model(catalogue, "marks", "ab")
    assert "go with one ONNX file" in refused("import", catalogue / "marks", "--title", "Marks", said=capsys)


@pytest.mark.parametrize("path", ["nothing.onnx", "nothing"])
def test_a_path_that_is_not_there_is_named(catalogue: Path, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused("import", catalogue / path, *(NAMED if ".onnx" in path else ()), said=capsys).startswith(
        f"{catalogue / path}"
    )


def test_a_folder_from_elsewhere_comes_into_the_catalogue(catalogue: Path, tmp_path: Path) -> None:
    add_model(tmp_path / "elsewhere", "marks", "ab")
    assert main(["import", str(tmp_path / "elsewhere" / "marks")]) == 0
    for name in (CARD_FILE, MODEL_FILE):
        assert (catalogue / "marks" / name).read_bytes() == (tmp_path / "elsewhere" / "marks" / name).read_bytes()
    assert stored_tags("marks") == ["marks:1.0.0"]


def test_a_folder_is_called_as_its_model(catalogue: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_model(catalogue, "marks", "ab")
    (catalogue / "marks").rename(catalogue / "signs")
    assert "the folder of marks must be called marks" in refused("import", said=capsys)


def test_a_folder_whose_file_would_have_to_be_changed_is_refused(
    catalogue: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(file), *NAMED]) == 0
    card = read_card(catalogue / "marks" / CARD_FILE)
    (catalogue / "marks" / MODEL_FILE).write_bytes(file.read_bytes())
    content = {**card.model_dump(mode="json"), "sha256": file_sha256(file)}
    (catalogue / "marks" / CARD_FILE).write_text(yaml.safe_dump(content))
    assert "cannot be served as it is (batch of 1 made free" in refused("verify", said=capsys)


def test_a_model_that_a_cascade_names_keeps_its_version(
    catalogue: Path, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(file), *NAMED]) == 0
    add_model(catalogue, "digits", "01")
    add_cascade(catalogue, "both", "marks:1.0.0", {"a": "digits:1.0.0"}, [*"01bcd"])
    assert main(["import"]) == 0
    text = refused("import", other(tmp_path), *NAMED, "--version", "2.0.0", said=capsys)
    assert "both names marks:1.0.0. Give another name, or remove both first." in text
    assert main(["import", str(other(tmp_path)), *NAMED, "--replace"]) == 0
    assert main(["verify"]) == 0


def test_a_stored_card_that_nobody_can_read_any_more_is_written_anew(catalogue: Path) -> None:
    add_model(catalogue, "marks", "ab")
    assert main(["import"]) == 0
    stored = stored_folder("marks:1.0.0")
    assert stored is not None
    (stored / CARD_FILE).write_text("name: marks\n")
    assert main(["import"]) == 0
    assert read_card(stored / CARD_FILE) == read_card(catalogue / "marks" / CARD_FILE)
