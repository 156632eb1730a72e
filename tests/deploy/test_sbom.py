"""The bill of materials of a Bento is complete and valid CycloneDX."""

import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.validation.json import JsonStrictValidator

from deploy.requirements import lock_file, read_lock
from deploy.sbom import SCHEMA, main
from models.card import CARD_FILE, ModelCard, file_sha256, read_card
from models.store import card_folders
from tests.support.processes import ROOT


@pytest.fixture(scope="module", params=["bentofile.yaml", "bentofile.gpu.yaml"])
def bentofile(request: pytest.FixtureRequest) -> Path:
    return ROOT / str(request.param)


@pytest.fixture(scope="module")
def text(bentofile: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("bill") / "build" / "sbom.json"
    assert main([str(bentofile), str(file)]) == 0
    return file.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def bill(text: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def test_bill_is_valid_cyclonedx(text: str) -> None:
    validator = JsonStrictValidator(SCHEMA)
    assert validator.validate_str(text) is None
    assert validator.validate_str(text.replace('"library"', '"book"')) is not None


def test_bill_lists_the_packages_locked_for_this_system(bill: dict[str, Any], bentofile: Path) -> None:
    listed = {part["purl"] for part in bill["components"] if part["type"] == "library"}
    locked = [entry for entry in read_lock(lock_file(bentofile)) if entry.applies]
    assert len(listed) == len(locked) > 50
    assert any(purl.startswith("pkg:pypi/bentoml@1.4.") for purl in listed)
    assert any(purl.startswith("pkg:pypi/onnxruntime") for purl in listed)
    assert not any(purl.startswith(("pkg:pypi/pytest", "pkg:pypi/uvloop@0.1")) for purl in listed)


def test_bill_lists_the_models_with_their_hashes(bill: dict[str, Any]) -> None:
    models = {part["name"]: part for part in bill["components"] if part["type"] == "machine-learning-model"}
    cards = {folder: read_card(folder / CARD_FILE) for folder in card_folders()}
    assert set(models) == {card.name for card in cards.values()}
    for folder, card in cards.items():
        assert models[card.name]["version"] == card.version
        assert models[card.name]["licenses"]
        hashes = [each["content"] for each in models[card.name].get("hashes", [])]
        assert hashes == ([file_sha256(folder / "model.onnx")] if isinstance(card, ModelCard) else [])


def test_all_components_are_dependencies_of_the_bento(bill: dict[str, Any]) -> None:
    root = bill["metadata"]["component"]["bom-ref"]
    (depends,) = [each["dependsOn"] for each in bill["dependencies"] if each["ref"] == root]
    assert set(depends) == {part["bom-ref"] for part in bill["components"]}


def test_licences_of_installed_packages_are_included(bill: dict[str, Any]) -> None:
    licences = {part["name"]: part.get("licenses") for part in bill["components"]}
    assert licences["bentoml"]
    assert sum(map(bool, licences.values())) > len(licences) / 2
