"""A sequence over stand-in readers: what is asked of them, in how many calls, and what is made of the answers."""

import asyncio
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
from PIL import Image

from loadtests.images import ORIENTATION
from models.card_fields import Rejection
from preprocessing import decode, preprocess
from serving.errors import Problem
from serving.http.schemas import Classification
from serving.inference.cancellation import CancellationToken
from serving.inference.classifier import Classifier
from serving.inference.explanation import explain
from serving.inference.sequence import SequenceModel
from serving.inference.sequence_prediction import SequencePrediction
from serving.process import metrics
from serving.settings import Settings
from tests.models.catalogues import add_model, add_sequence
from tests.serving.inference.cascades import (
    DIGITS,
    LABELS,
    SEVEN,
    Stage,
    StandIn,
    classify,
    classify_all,
    labels,
    logits,
    run,
)
from tests.support.pictures import WHITE, digit, encoded, several
from tests.support.sequences import sheet

TWO, THREE = encoded(several("11")), encoded(several("111"))
ZERO, ONE, UNSURE = logits(0.9, 0.1), logits(0.2, 0.8), logits(0.5, 0.5)


def numbers(
    folder: Path, runner: StandIn, rejection: Rejection | None = None, max_queue: int = 64, max_characters: int = 64
) -> SequenceModel:
    """A sequence over a classifier of 0 and 1."""
    settings = Settings(max_queue=max_queue, max_characters=max_characters)
    made = add_model(folder, "digits", DIGITS)
    card = made.model_copy(update={"rejection": rejection or made.rejection})
    reader = Classifier(card, {"cpu": runner}, {"gpu": "None here."}, settings)
    return SequenceModel(add_sequence(folder, "numbers", card.tag, DIGITS), {card.tag: reader}, settings)


def token() -> CancellationToken:
    return CancellationToken(perf_counter() + 10)


def test_text_is_of_the_characters_in_one_call(tmp_path: Path) -> None:
    async def main() -> None:
        runner = StandIn([ZERO, ONE])
        answer = await classify(numbers(tmp_path, runner), TWO)
        assert runner.sizes == [2]
        assert (answer.model, answer.version, answer.label, answer.confidence) == ("numbers", "1.0.0", "01", 0.72)
        assert [one.label for one in answer.top] == ["01", "00", "11", "10"]
        assert [one.confidence for one in answer.top] == pytest.approx([0.72, 0.18, 0.08, 0.02], abs=1e-6)
        assert answer.probabilities == {one.label: one.confidence for one in answer.top}
        assert (answer.category, answer.rejected, answer.reject_reason, answer.batch_size) == (None, False, None, 2)
        assert answer.characters is not None
        first, second = answer.characters
        assert [(one.label, one.confidence) for one in first.top] == [("0", 0.9), ("1", 0.1)]
        assert (first.label, first.line, second.label, second.line) == ("0", 0, "1", 0)

    run(main)


def test_boxes_are_those_of_the_strokes(tmp_path: Path) -> None:
    async def main() -> None:
        answer = await classify(numbers(tmp_path, StandIn([ONE])), TWO)
        assert answer.characters is not None
        box = several("11").getchannel("A").getbbox()
        assert box is not None
        (x1, y1, w1, h1), (x2, y2, w2, h2) = (one.box for one in answer.characters)
        # The working size of a segmentation is smaller than the picture.
        assert (x1, y1, x2 + w2, y1 + h1) == pytest.approx(box, abs=4)
        assert (y2, h2, w2) == pytest.approx((y1, h1, w1), abs=4)
        assert x2 - (x1 + w1) == pytest.approx(40, abs=8)

    run(main)


@pytest.mark.parametrize(("orientation", "turn"), [(1, None), (6, Image.Transpose.ROTATE_90), (8, Image.Transpose.ROTATE_270)])
def test_boxes_of_a_large_photo_are_in_pixels_of_the_upright_picture(
    orientation: int, turn: Image.Transpose | None, tmp_path: Path
) -> None:
    """A JPEG of 2,000 pixels is decoded at a half or a quarter of its size."""

    async def main() -> None:
        upright = Image.new("L", (2000, 1400), 255)
        upright.paste(sheet(["42"], 500), (300, 300))
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        data = encoded(upright if turn is None else upright.transpose(turn), "JPEG", exif=exif)
        answer = await classify(numbers(tmp_path, StandIn([ONE])), data)
        assert answer.characters is not None
        boxes = np.array([one.box for one in answer.characters])
        found = [*boxes[:, :2].min(axis=0), *(boxes[:, :2] + boxes[:, 2:]).max(axis=0)]
        assert found == pytest.approx(Image.eval(upright, lambda level: 255 - level).getbbox(), abs=24)

    run(main)


def test_one_character_is_the_input_of_the_reader_itself(tmp_path: Path) -> None:
    async def main() -> None:
        model = numbers(tmp_path, StandIn([ONE]))
        for picture in (SEVEN, encoded(digit("4")), encoded(digit("4", paper=WHITE).convert("L").resize((900, 900)))):
            (prediction,) = await model.predict([picture], "auto", token())
            assert isinstance(prediction, SequencePrediction)
            (character,) = prediction.characters
            spec = model.reader.preprocessor.specs[0]
            np.testing.assert_array_equal(character.prediction.image.tensor, preprocess(decode(picture), spec))

    run(main)


def test_images_of_a_request_are_read_together_and_a_bad_one_fails_alone(tmp_path: Path) -> None:
    async def main() -> None:
        runner = StandIn([ZERO, ONE, ONE, ZERO, ONE, ONE, ONE])
        entries = await classify_all(
            numbers(tmp_path, runner), [TWO, b"no picture", THREE, encoded(Image.new("L", (99, 99))), TWO]
        )
        assert labels(entries) == ["01", "unsupported_media", "101", "no_ink", "11"]
        assert runner.sizes == [7]

    run(main)


def test_more_characters_than_may_wait_are_read_in_several_calls(tmp_path: Path) -> None:
    async def main() -> None:
        runner = StandIn([ZERO, ONE, ONE])
        assert labels(await classify_all(numbers(tmp_path, runner, max_queue=4), [THREE])) == ["011"]
        assert runner.sizes == [2, 1]

    run(main)


def test_very_many_characters_are_read_as_few_are(tmp_path: Path) -> None:
    async def main() -> None:
        runner = StandIn([ONE])
        entries = await classify_all(numbers(tmp_path, runner), [encoded(sheet(["1" * 30], 40)), TWO])
        assert labels(entries) == ["1" * 30, "11"]
        assert all(isinstance(one, Classification) and one.timings_ms.preprocess > 0 for one in entries)

    run(main)


def test_too_many_characters_are_refused_before_they_are_read(tmp_path: Path) -> None:
    async def main() -> None:
        runner = StandIn([ONE])
        entries = await classify_all(numbers(tmp_path, runner, max_characters=2), [THREE, TWO])
        assert labels(entries) == ["too_large", "11"]
        assert "at most 2" in str(entries[0])
        assert runner.sizes == [2]

    run(main)


def test_a_full_queue_refuses_the_whole_request(tmp_path: Path) -> None:
    async def main() -> None:
        runner = StandIn([ONE])
        model = numbers(tmp_path, runner, max_queue=4)
        assert isinstance(model.reader, Classifier)
        queue = model.reader.batcher("cpu")._queue
        runner.free.clear()
        waiting = [asyncio.create_task(classify(model, TWO))]
        await runner.busy.wait()
        waiting += [asyncio.create_task(classify(model, TWO)) for _ in range(2)]
        while len(queue) < 4:
            await asyncio.sleep(0.001)
        with pytest.raises(Problem) as refused:
            await classify(model, TWO)
        assert refused.value.code == "overloaded"
        runner.free.set()
        assert [answer.label for answer in await asyncio.gather(*waiting)] == ["11"] * 3

    run(main)


def test_nothing_is_read_after_the_deadline(tmp_path: Path) -> None:
    async def main() -> None:
        runner = StandIn([ONE])
        with pytest.raises(Problem) as late:
            await numbers(tmp_path, runner).predict([TWO], "auto", CancellationToken(perf_counter()))
        assert (late.value.code, runner.sizes) == ("deadline", [])

    run(main)


def test_a_model_that_fails_fails_the_image(tmp_path: Path) -> None:
    async def main() -> None:
        runner = StandIn([ONE])
        runner.fails = True
        assert labels(await classify_all(numbers(tmp_path, runner), [TWO])) == ["unavailable"]

    run(main)


def test_a_reader_that_is_a_cascade_runs_each_model_once(tmp_path: Path) -> None:
    async def main() -> None:
        kinds = {"d": (0.98, 0.01, 0.01), "l": (0.01, 0.98, 0.01)}
        stage = Stage(
            tmp_path, StandIn(logits(*kinds[kind]) for kind in "dldd"), StandIn([[0, 9], [9, 0], [0, 9]]), StandIn([[9, 0, 0]])
        )
        card = add_sequence(tmp_path, "text", "characters:1.0.0", LABELS[:-1])
        model = SequenceModel(card, {"characters:1.0.0": stage.cascade}, Settings())
        answers = await classify_all(model, [TWO, TWO])
        assert labels(answers) == ["1O", "01"]
        assert stage.sizes == [[4], [3], [1]]
        assert all(isinstance(answer, Classification) and answer.category is None for answer in answers)
        described = model.describe()
        assert described["stages"] == ["characters:1.0.0", "category:1.0.0", "digits:1.0.0", "letters:1.0.0"]
        assert (described["name"], described["card"]["task"]) == ("text", "sequence")
        assert described["devices"]["gpu"] == {"available": False, "reason": "category: None here."}

    run(main)


def test_what_is_likelier_no_character_is_rejected(tmp_path: Path) -> None:
    async def main() -> None:
        stage = Stage(tmp_path, StandIn([logits(0.35, 0.1, 0.55)]), StandIn([[0, 9]]), StandIn([[0, 0, 0]]))
        card = add_sequence(tmp_path, "text", "characters:1.0.0", LABELS[:-1])
        model = SequenceModel(card, {"characters:1.0.0": stage.cascade}, Settings())
        answer = await classify(model)
        assert (answer.label, answer.rejected) == ("1", True)
        assert answer.confidence == pytest.approx(0.35, abs=1e-3)
        assert answer.reject_reason == "The character is unlike anything the model characters was made for."
        explained = await explain(model, SEVEN, "auto", token(), character=0)
        assert explained.labels == DIGITS

    run(main)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([ZERO, ONE, ZERO], None),
        ([ZERO, UNSURE, ZERO], "Character 2 of 3 is unlike anything the model digits was made for."),
        ([UNSURE, ONE, UNSURE], "Characters 1 and 3 of 3 are unlike anything the model digits was made for."),
        ([UNSURE], "Characters 1, 2 and 3 of 3 are unlike anything the model digits was made for."),
    ],
)
def test_a_rejected_character_rejects_the_image_and_is_named(
    rows: list[list[float]], reason: str | None, tmp_path: Path
) -> None:
    async def main() -> None:
        before = metrics.rejected.labels("numbers")._value.get()
        model = numbers(tmp_path, StandIn(rows), Rejection(score="max_softmax", threshold=0.6))
        answer = await classify(model, THREE)
        assert (answer.rejected, answer.reject_reason) == (reason is not None, reason)
        assert answer.characters is not None
        assert [one.rejected for one in answer.characters] == [(rows * 3)[index] == UNSURE for index in range(3)]
        assert metrics.rejected.labels("numbers")._value.get() - before == (reason is not None)

    run(main)


def test_many_rejected_characters_are_not_all_named(tmp_path: Path) -> None:
    async def main() -> None:
        model = numbers(tmp_path, StandIn([UNSURE]), Rejection(score="max_softmax", threshold=0.6))
        answer = await classify(model, encoded(several("1111111", gap=60)))
        assert str(answer.reject_reason).startswith("Characters 1, 2, 3, 4, 5 and 2 more of 7 are unlike")

    run(main)


def test_an_image_counts_once_for_the_sequence_and_not_for_its_reader(tmp_path: Path) -> None:
    def counted() -> list[float]:
        return [metrics.images.labels(name)._value.get() for name in ("numbers", "digits")]

    async def main() -> None:
        before = counted()
        await classify_all(numbers(tmp_path, StandIn([ONE])), [TWO, THREE])
        assert [now - then for now, then in zip(counted(), before, strict=True)] == [2, 0]

    run(main)


def test_each_character_is_observed(tmp_path: Path) -> None:
    def counted(quantity: str) -> dict[str, float]:
        return {
            sample.labels["bin"]: sample.value
            for sample in next(iter(metrics.observed_images.collect())).samples
            if (sample.labels["model"], sample.labels["quantity"]) == ("numbers", quantity) and sample.name.endswith("_total")
        }

    async def main() -> None:
        model = numbers(tmp_path, StandIn([ZERO, ONE, UNSURE]), Rejection(score="max_softmax", threshold=0.6))
        before = {quantity: counted(quantity) for quantity in ("label", "rejected", "confidence", "ink")}
        (prediction,) = await model.predict([THREE], "auto", token())
        assert isinstance(prediction, SequencePrediction)
        model.observations.count(prediction)
        new = {
            quantity: {
                name: value - found.get(name, 0) for name, value in counted(quantity).items() if value != found.get(name, 0)
            }
            for quantity, found in before.items()
        }
        assert new["label"] == {"0": 2, "1": 1}  # of two that are equally likely, the first
        assert new["rejected"] == {"false": 2, "true": 1}
        assert sum(new["ink"].values()) == sum(new["confidence"].values()) == 3

    run(main)


def test_a_device_that_the_reader_lacks_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    async def main() -> None:
        with pytest.raises(Problem, match=r"None here\.") as refused:
            await classify(numbers(tmp_path, StandIn([ONE])), b"not even an image", "gpu")
        assert refused.value.code == "device_unavailable"

    run(main)


def test_segmentation_is_explained_by_its_stages(tmp_path: Path) -> None:
    async def main() -> None:
        explained = await explain(numbers(tmp_path, StandIn([ZERO, ONE])), TWO, "auto", token())
        assert [stage.name for stage in explained.stages] == ["gray", "ink", "boxes"]
        assert {stage.image.size for stage in explained.stages} == {(700, 700)}
        assert explained.stages[-1].note == "2 characters in 1 line, of 2 candidates; numbered in reading order."
        assert (explained.labels, len(explained.logits), explained.heat_map) == ([], 0, None)
        ink = np.asarray(explained.stages[1].image)
        gray = np.asarray(several("11").getchannel("A"))
        assert ((ink > 127) == (gray > 127)).mean() > 0.99

    run(main)


def test_a_character_is_explained_like_an_image(tmp_path: Path) -> None:
    async def main() -> None:
        model = numbers(tmp_path, StandIn([ZERO, ONE]))
        explained = await explain(model, TWO, "auto", token(), character=1)
        assert [stage.name for stage in explained.stages] == ["crop", "input"]
        assert explained.labels == DIGITS
        np.testing.assert_allclose(explained.logits, np.asarray(ONE, np.float32))
        assert explained.heat_map is not None and "'1'" in explained.note
        quick = await explain(model, TWO, "auto", token(), with_heat_map=False, character=1)
        assert (quick.heat_map, len(quick.stages)) == (None, 2)

    run(main)


@pytest.mark.parametrize(("picture", "there"), [(TWO, "has 2 characters, from 0 to 1"), (SEVEN, "has one character, 0")])
def test_a_character_that_there_is_not_is_refused(picture: bytes, there: str, tmp_path: Path) -> None:
    async def main() -> None:
        model = numbers(tmp_path, StandIn([ONE]))
        with pytest.raises(Problem, match=f"character=2: the image {there}") as refused:
            await explain(model, picture, "auto", token(), character=2)
        assert refused.value.code == "bad_request"
        with pytest.raises(Problem, match="digits reads one character") as refused:
            await explain(model.reader, picture, "auto", token(), character=0)
        assert refused.value.code == "bad_request"

    run(main)
