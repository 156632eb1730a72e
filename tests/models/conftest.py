from collections.abc import Iterator
from pathlib import Path

import pytest
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml._internal.models import ModelStore

from models import check, examination, imports
from models.card import CardError
from models.trial import LIMITS, Finding, Limits, Refused


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A BentoML model store of the test's own, in this process."""
    folder = tmp_path_factory.mktemp("store")
    BentoMLContainer.model_store.set(ModelStore(folder))
    yield folder
    BentoMLContainer.model_store.reset()


@pytest.fixture
def examined_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are examined in this process: twenty times faster, where nothing hostile is among them."""
    for module in (check, imports):
        monkeypatch.setattr(module, "examine", examine_here)


def examine_here(
    path: Path,
    *,
    rewritten: Path | None = None,
    mean: float = 0.0,
    std: float = 1.0,
    limits: Limits = LIMITS,  # noqa: ARG001
) -> Finding:
    """``models.trial.examine`` without a process of its own and its limits."""
    if not path.is_file():
        raise CardError(f"{path}: missing, or no file")
    try:
        return Finding.model_validate(examination.examine(path, mean, std, str(rewritten) if rewritten else None))
    except Refused as refusal:
        raise CardError(f"{path}: {refusal}") from refusal
