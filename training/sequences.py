"""``python -m training.sequences --data DIR``: measure how well several characters in a picture are read.

Pictures are composed of test images (``training.rendering.composition``) and read in this process as the service reads them.
``--write models`` writes the metrics into the cards of ``numbers`` and ``text``.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from models.card import CARD_FILE, SequenceCard, read_card, write_card
from models.card_fields import SequenceMetrics
from models.terminal import printable
from training.data.datasets import DataError, LabelledImages, emnist, mnist
from training.data.splits import random_split
from training.evaluation.networks import Network
from training.evaluation.sequences import Answer, SequenceReader, read_all, sequence_metrics
from training.rendering.composition import GAPS, compose
from training.rendering.displays import counter, dial_readout, seven_segments
from training.rendering.paper import PAPERS, photograph_number

LENGTHS: Final = {"numbers": (2, 3, 5, 8), "text": (3, 4, 5, 6)}
# A capital I and a small l are one line.
LOOKALIKES: Final = "IL"
PHOTOS: Final = 12
DISPLAYS: Final = 20
# A card may differ by this much from the measurement, since processors add in different orders.
TOLERANCE: Final = 0.01
# The seed of the recipes, by which EMNIST is split, and the number of its digits of each class that are held out.
SPLIT_SEED: Final = 1
HELD_OUT: Final = 500
DIGITS: Final = [str(digit) for digit in range(10)]
ALPHABET: Final = [chr(ord("A") + place) for place in range(26)]
DISPLAY_FORMS: Final[dict[str, Callable[[str, np.random.Generator], Image.Image]]] = {
    "seven segments, light on dark": partial(seven_segments, lit=True),
    "seven segments, dark on light": partial(seven_segments, lit=False),
    "printed digits, light on one dark strip": dial_readout,
    "printed digits, each in a dark window": counter,
}

Picture = tuple[Image.Image, str]


@dataclass(frozen=True, slots=True)
class Source:
    """Scans of characters, with the text of each label, the split they are of, and whether another pen redraws them."""

    name: str
    split: str
    scans: LabelledImages
    labels: list[str]
    redrawn: bool = False

    def pictures(self, length: int, count: int, seed: int, gaps: tuple[float, float] = GAPS) -> Iterator[Picture]:
        """Compose ``count`` lines of ``length`` characters; neighbours touch where ``gaps`` is (0, 0)."""
        rng = np.random.default_rng([seed, length, *self.name.encode()])
        for _ in range(count):
            line = compose(self.scans, self.labels, length, rng, redrawn=self.redrawn, gaps=gaps)
            yield line.image, line.text


def digit_sources(data: Path) -> list[Source]:
    """MNIST's test set, the held-out digits of EMNIST that no choice was made with, and both drawn with other pens."""
    digits = mnist(data, "test")
    characters = emnist(data)
    held_out = random_split(characters.take(characters.labels < 10), (HELD_OUT,), SPLIT_SEED)[1]
    others = held_out.take(np.arange(1, len(held_out), 2))
    both = LabelledImages(np.concatenate([digits.images, others.images]), np.concatenate([digits.labels, others.labels]))
    return [
        Source("MNIST digits", "test (t10k)", digits, DIGITS),
        Source("EMNIST digits", "half of those held out by digits", others, DIGITS),
        Source("MNIST and EMNIST digits, other pens", "test", both, DIGITS, redrawn=True),
    ]


def letter_sources(data: Path, without: str = "") -> list[Source]:
    """The letters of the test set of ``letters``, or all but some of them, as they are and drawn with other pens."""
    from training.recipes.letters import split_letters  # here, since it imports PyTorch

    letters = split_letters(emnist(data), SPLIT_SEED)[2]
    letters = letters.take(~np.isin(letters.labels, [ALPHABET.index(letter) for letter in without]))
    name = f"EMNIST letters without {' and '.join(without)}" if without else "EMNIST letters"
    return [
        Source(name, "test", letters, ALPHABET),
        Source(f"{name}, other pens", "test", letters, ALPHABET, redrawn=True),
    ]


def measure_sources(
    reader: SequenceReader, kind: str, sources: Sequence[Source], lengths: Sequence[int], count: int, seed: int = 0
) -> list[SequenceMetrics]:
    """The metrics of ``count`` pictures of each length, from all sources of a ``kind``: of all together, and of each source."""
    together, apart = [], []
    everything = f"{kind} of all sources below"
    for length in lengths:
        answers: list[Answer] = []
        for number, source in enumerate(sources):
            share = count // len(sources) + (number < count % len(sources))
            read = read_all(reader, source.pictures(length, share, seed))
            apart.append(sequence_metrics(read, dataset=source.name, split=source.split, length=length))
            answers += read
        together.append(sequence_metrics(answers, dataset=everything, split="test", length=length))
    return [*together, *sorted(apart, key=lambda one: one.dataset)]


def measure_special(reader: SequenceReader, sources: Sequence[Source], count: int, seed: int = 0) -> list[SequenceMetrics]:
    """The metrics of pairs that touch, of photos of numbers on paper, and of displays and meters."""
    rng = np.random.default_rng(seed)
    pairs = [one for source in sources for one in source.pictures(2, count // 10, seed, (0, 0))]
    measured = [sequence_metrics(read_all(reader, pairs), dataset="Pairs of digits that touch", split="test", length=2)]
    photos = [photograph_number(sources[0].scans, 2 + place % 5, PAPERS[place % len(PAPERS)], rng) for place in range(PHOTOS)]
    found = read_all(reader, photos)
    for answer in found:
        sys.stdout.write(f"  photo of {answer.truth}: {answer.read!r}\n")
    measured.append(sequence_metrics(found, dataset="Photos of numbers on paper, rendered", split="MNIST test", length=None))
    for name, draw in DISPLAY_FORMS.items():
        texts = ["".join(map(str, rng.integers(0, 10, 5))) for _ in range(DISPLAYS)]
        shown = read_all(reader, [(draw(text, rng), text) for text in texts])
        measured.append(sequence_metrics(shown, dataset=f"Displays: {name}", split="drawn", length=5))
    return measured


def measure_single(reader: SequenceReader, catalogue: Path, digits: LabelledImages, count: int) -> list[SequenceMetrics]:
    """The metrics of ``reader`` on single digits, and those of ``digits`` on the same images."""
    network = Network(catalogue / "digits")
    images = [Image.fromarray(image) for image in digits.images[:count]]
    truth = [str(label) for label in digits.labels[:count]]
    places = [network.classify(image) for image in images]
    right = sum(str(place) == text for place, text in zip(places, truth, strict=True))
    sys.stdout.write(f"  one digit through digits: {right / len(truth):.2%}\n")
    answers = read_all(reader, zip(images, truth, strict=True))
    return [sequence_metrics(answers, dataset="MNIST digits", split="test (t10k)", length=1)]


def _measure_text(reader: SequenceReader, data: Path, digits: Sequence[Source], count: int) -> list[SequenceMetrics]:
    """The metrics of words, of words without the letters that share one shape, and of numbers."""
    letters, unlike = letter_sources(data), letter_sources(data, without=LOOKALIKES)
    return [
        *measure_sources(reader, "Letters", letters, LENGTHS["text"], count),
        *measure_sources(reader, f"Letters without {' and '.join(LOOKALIKES)}", unlike, LENGTHS["text"], count),
        *measure_sources(reader, "Digits", digits, LENGTHS["numbers"], count),
    ]


def table(measured: Sequence[SequenceMetrics]) -> str:
    """Format metrics as lines of text."""
    return "".join(
        f"  {f'{one.dataset}, {one.split}':64} {one.length or '':>2} {one.n:6,} {one.exact_match:8.2%} "
        f"{one.character_error_rate:8.2%}\n"
        for one in measured
    )


def overstated(stated: Sequence[SequenceMetrics], measured: Sequence[SequenceMetrics]) -> list[str]:
    """A line for each figure of a card that is better than what was measured of the same images."""
    found = {(one.dataset, one.split, one.length, one.n): one for one in measured}
    lines = []
    for one in stated:
        same = found.get((one.dataset, one.split, one.length, one.n))
        if same is not None and one.exact_match > same.exact_match + TOLERANCE:
            where = f"{one.dataset}, {one.split}, {one.length or 'any'} characters"
            lines.append(f"{where}: the card states {one.exact_match:.2%} exact, measured are {same.exact_match:.2%}.")
    return lines


def write_metrics(folder: Path, measured: Sequence[SequenceMetrics]) -> None:
    """Write metrics into the card in a folder, in place of all others."""
    card = read_card(folder / CARD_FILE)
    assert isinstance(card, SequenceCard)
    write_card(card.model_copy(update={"metrics": list(measured)}), folder / CARD_FILE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure ``numbers`` and ``text``; 1 if a card states better figures than measured."""
    parser = argparse.ArgumentParser(prog="python -m training.sequences", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that training/README.md describes")
    parser.add_argument("--catalogue", type=Path, default=Path("models"), help="default: %(default)s")
    parser.add_argument("--model", action="append", choices=LENGTHS, help="only this model, instead of both")
    parser.add_argument("--n", type=int, default=1000, help="pictures of each length, default: %(default)s")
    parser.add_argument("--write", type=Path, metavar="MODELS", help="write the metrics into this catalogue's cards")
    options = parser.parse_args(arguments)
    better: list[str] = []
    try:
        digits = digit_sources(options.data)
        for model in options.model or LENGTHS:
            reader = SequenceReader(options.catalogue, model)
            sys.stdout.write(f"\n{reader.card.tag}\n")
            if model == "numbers":
                measured = measure_sources(reader, "Digits", digits, LENGTHS[model], options.n)
                measured += measure_single(reader, options.catalogue, digits[0].scans, 10 * options.n)
                measured += measure_special(reader, digits, options.n)
            else:
                measured = _measure_text(reader, options.data, digits, options.n // 4)
            sys.stdout.write(table(measured))
            better += [f"{model}: {line}" for line in overstated(reader.card.metrics, measured)]
            if options.write is not None:
                write_metrics(options.write / model, measured)
    except DataError as error:
        sys.stderr.write(f"{printable(str(error))}\n")
        return 2
    sys.stdout.write("".join(f"{printable(line)}\n" for line in better))
    return 1 if better and options.write is None else 0


if __name__ == "__main__":
    sys.exit(main())
