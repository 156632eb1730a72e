"""A cascade over stand-in models: what is asked of whom, in how many calls, and what is made of the answers."""

import asyncio
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.card_fields import Rejection
from preprocessing import Tensor
from serving.errors import Problem
from serving.http.schemas import Classification
from serving.inference.cancellation import CancellationToken
from serving.inference.cascade import Cascade
from serving.inference.local_runner import ModelOutput
from serving.inference.prediction import Prediction
from serving.process import metrics
from serving.settings import Settings
from tests.serving.inference.cascades import (
    DIGITS,
    LABELS,
    LETTERS,
    SEVEN,
    Stage,
    StandIn,
    classify,
    classify_all,
    labels,
    logits,
    run,
)
from tests.support.pictures import encoded, several


def test_probabilities_are_joint_over_category_and_label(tmp_path: Path) -> None:
    async def main() -> None:
        stage = Stage(tmp_path, StandIn([logits(0.6, 0.3, 0.1)]), StandIn([logits(0.2, 0.8)]), StandIn([logits(0.5, 0.4, 0.1)]))
        answer = await classify(stage.cascade)
        assert (answer.model, answer.version, answer.label, answer.confidence) == ("characters", "1.0.0", "1", 0.48)
        assert answer.category is not None
        assert answer.category.model_dump() == {"label": "digit", "confidence": 0.6}
        expected = {"0": 0.12, "1": 0.48, "O": 0.15, "I": 0.12, "L": 0.03, "drawing": 0.1}
        assert answer.probabilities == pytest.approx(expected, abs=1e-5)
        assert list(answer.probabilities) == LABELS
        assert [share.label for share in answer.top][:2] == ["1", "O"]
        assert (answer.rejected, answer.provider, answer.batch_size) == (False, "CPUExecutionProvider", 1)

    run(main)


@pytest.mark.parametrize(
    ("categories", "sizes"),
    [
        ((0.93, 0.051, 0.019), [[1], [1], [1]]),
        ((0.93, 0.049, 0.021), [[1], [1], []]),
        ((0.02, 0.02, 0.96), [[1], [], []]),
    ],
)
def test_models_run_for_categories_above_the_threshold(
    categories: tuple[float, ...], sizes: list[list[int]], tmp_path: Path
) -> None:
    async def main() -> None:
        stage = Stage(tmp_path, StandIn([logits(*categories)]), StandIn([[0, 0]]), StandIn([[0, 0, 9]]))
        answer = await classify(stage.cascade)
        assert stage.sizes == sizes
        if not stage.letters.sizes:
            assert answer.probabilities["O"] == answer.probabilities["L"] == pytest.approx(categories[1] / 3, abs=1e-6)

    run(main)


def test_model_of_the_likeliest_category_always_runs(tmp_path: Path) -> None:
    async def main() -> None:
        category = StandIn([logits(0.04, *[0.96 / 39] * 39)])
        many = ["digit", "letter", *(f"drawing {i}" for i in range(38))]
        stage = Stage(tmp_path, category, StandIn([[9, 0]]), StandIn([[0, 0, 0]]), categories=many)
        answer = await classify(stage.cascade)
        assert answer.label == "0"
        assert answer.confidence == pytest.approx(0.04, abs=1e-5)
        assert stage.sizes == [[1], [1], []]

    run(main)


def test_each_stage_runs_once_for_all_images_of_a_request(tmp_path: Path) -> None:
    async def main() -> None:
        kinds = {"d": (0.98, 0.01, 0.01), "l": (0.01, 0.98, 0.01), "x": (0.01, 0.01, 0.98), "b": (0.5, 0.49, 0.01)}
        stage = Stage(
            tmp_path,
            StandIn(logits(*kinds[kind]) for kind in "dlxdbddl"),
            StandIn([[0, 9], [9, 0], [9, 0], [0, 9], [0, 9]]),
            StandIn([[9, 0, 0], [5, 4, 5], [0, 9, 0]]),
        )
        entries = await classify_all(stage.cascade, [SEVEN] * 8)
        assert stage.sizes == [[8], [5], [3]]
        assert labels(entries) == ["1", "O", "drawing", "0", "0", "1", "1", "I"]
        assert all(isinstance(one, Classification) and one.batch_size == 8 for one in entries)

    run(main)


def test_stages_share_batches_with_direct_requests(tmp_path: Path) -> None:
    async def main() -> None:
        stage = Stage(tmp_path, StandIn([logits(0.98, 0.01, 0.01)]), StandIn([[0, 9]]), StandIn([[0, 0, 0]]))
        digits = stage.models["digits:1.0.0"]
        stage.digits.free.clear()
        tasks = [asyncio.create_task(classify(digits))]
        await stage.digits.busy.wait()
        tasks += [asyncio.create_task(classify(model)) for model in (stage.cascade, digits, stage.cascade)]
        while sum(stage.category.sizes) < 2:  # in one call, or on a busy machine in two
            await asyncio.sleep(0)
        for _ in range(10):
            await asyncio.sleep(0)
        stage.digits.free.set()
        answers = await asyncio.gather(*tasks)
        assert [answer.label for answer in answers] == ["1"] * 4
        assert stage.digits.sizes == [1, 3]

    run(main)


def test_a_bad_picture_fails_alone(tmp_path: Path) -> None:
    async def main() -> None:
        stage = Stage(tmp_path, StandIn([logits(0.98, 0.01, 0.01)]), StandIn([[0, 9]]), StandIn([[0, 0, 0]]))
        images = [SEVEN, b"no picture", SEVEN]
        assert labels(await classify_all(stage.cascade, images)) == ["1", "unsupported_media", "1"]
        assert stage.sizes == [[2], [2], []]

    run(main)


def test_a_model_that_fails_fails_only_its_images(tmp_path: Path) -> None:
    async def main() -> None:
        kinds = [(0.98, 0.01, 0.01), (0.01, 0.98, 0.01), (0.01, 0.01, 0.98)]
        stage = Stage(tmp_path, StandIn(logits(*kind) for kind in kinds), StandIn([[0, 9]]), StandIn([[0, 0, 0]]))
        stage.letters.fails = True
        assert labels(await classify_all(stage.cascade, [SEVEN] * 3)) == ["1", "unavailable", "drawing"]

    run(main)


def test_full_queue_of_a_stage_fails_only_its_images(tmp_path: Path) -> None:
    async def main() -> None:
        kinds = [(0.98, 0.01, 0.01), (0.01, 0.98, 0.01), (0.01, 0.98, 0.01)]
        stage = Stage(
            tmp_path, StandIn(logits(*kind) for kind in kinds), StandIn([[0, 9]]), StandIn([[0, 0, 0]]), letter_queue=1
        )
        assert labels(await classify_all(stage.cascade, [SEVEN] * 3)) == ["1", "overloaded", "overloaded"]
        assert stage.letters.sizes == []

    run(main)


def test_the_deadline_is_that_of_all_stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    late = [0.0]
    monkeypatch.setattr("serving.inference.cancellation.perf_counter", lambda: perf_counter() + late[0])

    class Slow(StandIn):
        async def run(self, batch: Tensor) -> list[ModelOutput]:
            late[0] = Settings().deadline_seconds
            return await super().run(batch)

    async def main() -> None:
        stage = Stage(tmp_path, Slow([logits(0.98, 0.01, 0.01)]), StandIn([[0, 9]]), StandIn([[0, 0, 0]]))
        with pytest.raises(Problem) as refused:
            await classify(stage.cascade)
        assert refused.value.code == "deadline"
        assert stage.sizes == [[1], [], []]

    run(main)


@pytest.mark.parametrize(("name", "rejected"), [("category", True), ("digits", True), ("letters", False)])
def test_the_first_model_and_the_one_that_gave_the_label_may_reject(name: str, rejected: bool, tmp_path: Path) -> None:
    async def main() -> None:
        stage = Stage(
            tmp_path,
            StandIn([logits(0.8, 0.19, 0.01)]),
            StandIn([logits(0.1, 0.9)]),
            StandIn([[0, 0, 0]]),
            rejections={name: Rejection(score="max_softmax", threshold=0.95)},
        )
        answer = await classify(stage.cascade)
        assert (answer.label, answer.rejected) == ("1", rejected)
        if rejected:
            assert f"unlike anything the model {name} was made for" in str(answer.reject_reason)

    run(main)


@pytest.mark.parametrize("category", ["category", "digits", "letters"])
def test_several_characters_are_rejected_by_a_stage_that_reads_one(category: str, tmp_path: Path) -> None:
    async def main() -> None:
        stage = Stage(tmp_path, StandIn([logits(0.98, 0.01, 0.01)]), StandIn([[0, 9]]), StandIn([[0, 0, 0]]))
        for model in stage.models.values():
            model.card = model.card.model_copy(update={"single": model.card.name == category})
        before = metrics.rejected.labels("characters")._value.get()
        one, two = await classify_all(stage.cascade, [SEVEN, encoded(several("47"))])
        assert isinstance(one, Classification) and isinstance(two, Classification)
        assert (one.rejected, two.rejected) == (False, category != "letters")
        assert (one.label, one.confidence) == (two.label, two.confidence)
        assert metrics.rejected.labels("characters")._value.get() - before == two.rejected

    run(main)


def test_times_add_up_sequential_stages_and_the_slowest_parallel_one(tmp_path: Path) -> None:
    async def main() -> None:
        stage = Stage(tmp_path, StandIn([logits(0.5, 0.4, 0.1)], 0.25), StandIn([[0, 9]], 0.5), StandIn([[0, 0, 0]], 2.0))
        stage.letters.free.clear()

        async def free_letters() -> None:
            await asyncio.gather(stage.digits.busy.wait(), stage.letters.busy.wait())
            await asyncio.sleep(0.02)  # the slower of the two that run side by side
            stage.letters.free.set()

        _, answer = await asyncio.gather(free_letters(), classify(stage.cascade))
        assert answer.timings_ms.inference == 2250

    run(main)


def test_a_cascade_counts_for_itself_and_not_for_its_models(tmp_path: Path) -> None:
    def counted() -> list[float]:
        return [metrics.images.labels(name)._value.get() for name in ("characters", "category", "digits", "letters")]

    async def main() -> None:
        stage = Stage(
            tmp_path,
            StandIn([logits(0.5, 0.4, 0.1)]),
            StandIn([[0, 9]]),
            StandIn([[0, 0, 0]]),
            rejections={"category": Rejection(score="max_softmax", threshold=0.6)},
        )
        before, rejected = counted(), metrics.rejected.labels("characters")._value.get()
        await classify_all(stage.cascade, [SEVEN] * 3)
        assert [now - then for now, then in zip(counted(), before, strict=True)] == [3, 0, 0, 0]
        assert metrics.rejected.labels("characters")._value.get() == rejected + 3

    run(main)


@pytest.mark.parametrize(
    ("shares", "model", "label", "logits_of"),
    [
        ((0.9, 0.05, 0.05), "digits", "1", [0, 9]),
        ((0.05, 0.9, 0.05), "letters", "I", [0, 9, 0]),
        ((0.3, 0.3, 0.4), "category", "drawing", logits(0.3, 0.3, 0.4)),
        ((0.45, 0.45, 0.1), "digits", "1", [0, 9]),
    ],
)
def test_source_is_the_model_that_gave_the_label(
    shares: tuple[float, ...], model: str, label: str, logits_of: list[float], tmp_path: Path
) -> None:
    async def main() -> None:
        stage = Stage(tmp_path, StandIn([logits(*shares)]), StandIn([[0, 9]]), StandIn([[0, 9, 0]]))
        (prediction,) = await stage.cascade.predict([SEVEN], "auto", CancellationToken(perf_counter() + 10))
        assert isinstance(prediction, Prediction)
        classifier, output, named = stage.cascade.source(prediction)
        assert (classifier.card.name, named) == (model, label)
        assert stage.cascade.card.labels[prediction.probabilities.argmax()] == label
        np.testing.assert_allclose(output.logits, np.asarray(logits_of, np.float32))

    run(main)


def test_a_device_that_a_model_lacks_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    async def main() -> None:
        stage = Stage(tmp_path, StandIn([[0, 0, 0]]), StandIn([[0, 9]]), StandIn([[0, 0, 0]]))
        for asked in (classify(stage.cascade, device="gpu"), classify_all(stage.cascade, [SEVEN] * 2, "gpu")):
            with pytest.raises(Problem, match=r"None here\.") as refused:
                await asked
            assert refused.value.code == "device_unavailable"
        assert stage.sizes == [[], [], []]
        described = stage.cascade.describe()
        assert described["devices"]["cpu"] == {"available": True, "reason": None}
        assert described["devices"]["gpu"] == {"available": False, "reason": "category: None here."}
        assert described["stages"] == ["category:1.0.0", "digits:1.0.0", "letters:1.0.0"]
        assert described["providers"] == ["CPUExecutionProvider"]

    run(main)


def test_image_is_preprocessed_once_per_distinct_input_spec(tmp_path: Path) -> None:
    stage = Stage(tmp_path, StandIn([[0, 0, 0]]), StandIn([[0, 9]]), StandIn([[0, 0, 0]]))
    assert len(stage.cascade.preprocessor.warm_up().tensors) == 1
    digits = stage.models["digits:1.0.0"]
    digits.card = digits.card.model_copy(update={"input": digits.card.input.model_copy(update={"height": 12, "width": 12})})
    other = Cascade(stage.cascade.card, stage.models, Settings())
    assert [tensor.shape for tensor in other.preprocessor.warm_up().tensors] == [(1, 8, 8), (1, 12, 12)]


def any_logits(k: int) -> st.SearchStrategy[list[float]]:
    return arrays.arrays(np.float32, k, elements=st.floats(-1e4, 1e4, width=32)).map(lambda row: row.tolist())


@settings(max_examples=60)
@given(any_logits(3), any_logits(2), any_logits(3))
def test_any_logits_give_a_valid_distribution(
    tmp_path_factory: pytest.TempPathFactory, category: list[float], digits: list[float], letters: list[float]
) -> None:
    async def main() -> None:
        stage = Stage(tmp_path_factory.mktemp("catalogue"), StandIn([category]), StandIn([digits]), StandIn([letters]))
        answer = await classify(stage.cascade)
        shares = answer.probabilities
        assert list(shares) == LABELS
        assert all(0 <= share <= 1 for share in shares.values())
        assert sum(shares.values()) == pytest.approx(1, abs=1e-4)
        assert shares[answer.label] == max(shares.values()) == answer.confidence
        assert answer.category is not None
        members = {"digit": DIGITS, "letter": LETTERS, "drawing": ["drawing"]}[answer.category.label]
        assert answer.label in members
        assert answer.category.confidence == pytest.approx(sum(shares[label] for label in members), abs=1e-5)

    run(main)
