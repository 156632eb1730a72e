"""A worker of a bulk run, without Ray: its rows for sequences."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml._internal.models import ModelStore

from deploy.bulk.classifier import RESULTS, BatchClassifier, Job
from deploy.bulk.files import FolderInput
from deploy.bulk.models import find_model
from preprocessing import ImageLimits
from serving.inference import image_processor
from serving.settings import Settings
from tests.support.pictures import encoded
from tests.support.sequences import sheet


@pytest.fixture
def store(model_store: Path) -> Iterator[None]:
    """The store with the project's models, and as many threads as before."""
    tokens = image_processor.THREADS.total_tokens
    BentoMLContainer.model_store.set(ModelStore(model_store / "models"))
    yield
    BentoMLContainer.model_store.reset()
    image_processor.THREADS.total_tokens = tokens


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("name", "needs"),
    [("numbers", ["digits", "numbers"]), ("text", ["category", "digits", "letters", "characters", "text"])],
)
def test_a_sequence_needs_its_reader_and_answers_texts(name: str, needs: list[str], tmp_path: Path) -> None:
    for file, lines in (("a.png", ["42"]), ("b.png", ["1987", "20"]), ("c.png", ["1" * 9])):
        (tmp_path / file).write_bytes(encoded(sheet(lines)))
    (tmp_path / "d.png").write_bytes(b"no picture")
    pictures = FolderInput(tmp_path)
    model = find_model(name, Settings())
    assert [tag.split(":")[0] for tag in model.folders] == needs
    assert model.is_sequence and not find_model("characters", Settings()).is_sequence
    job = Job(model, pictures, ImageLimits(file_bytes=1_000_000), max_characters=8)
    with closing(BatchClassifier(job)) as classify:
        rows: pa.Table = classify(pictures.listing())
    assert rows.schema == RESULTS
    assert rows["problem"].to_pylist() == [None, None, "too_large", "unsupported_media"]
    assert rows["category"].to_pylist() == [None] * 4
    assert [ink is None for ink in rows["ink"].to_pylist()] == [False, False, True, True]
    if name == "numbers":
        assert rows["label"].to_pylist() == ["42", "1987\n20", None, None]
        assert rows["rejected"].to_pylist() == [False, False, None, None]
