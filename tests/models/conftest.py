from collections.abc import Iterator
from pathlib import Path

import pytest
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml._internal.models import ModelStore

from models import importer, sandbox_worker, validation
from models.card import CardError
from models.sandbox import DEFAULT_LIMITS, NO_HINTS, Hints, InvalidModel, ModelReport, SandboxLimits


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty BentoML model store for this process."""
    folder = tmp_path_factory.mktemp("store")
    BentoMLContainer.model_store.set(ModelStore(folder))
    yield folder
    BentoMLContainer.model_store.reset()


@pytest.fixture
def inspected_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inspect ONNX files in this process instead of a sandbox: twenty times faster, for files that are not hostile."""
    for module in (validation, importer):
        monkeypatch.setattr(module, "inspect_model", inspect_in_process)


def inspect_in_process(
    path: Path,
    hints: Hints = NO_HINTS,
    *,
    output: Path | None = None,
    limits: SandboxLimits = DEFAULT_LIMITS,  # noqa: ARG001
) -> ModelReport:
    """``models.sandbox.inspect_model`` without a subprocess and limits."""
    if not path.is_file():
        raise CardError(f"{path}: missing, or not a file")
    try:
        return ModelReport.model_validate(sandbox_worker.inspect_model(path, hints, str(output) if output else None))
    except InvalidModel as error:
        raise CardError(f"{path}: {error}") from error


@pytest.fixture
def catalogue(tmp_path: Path, store: Path, inspected_in_process: None, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: ARG001
    """The catalogue of ``python -m models`` in this process; its folder does not exist yet."""
    monkeypatch.setenv("CATALOGUE", str(tmp_path / "catalogue"))
    return tmp_path / "catalogue"
