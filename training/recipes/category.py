"""The recipe of ``category``: digit, letter or other drawing. Images of every source are redrawn with the same brushes."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image
from torch import nn

from training.data import drawings, outliers
from training.data.datasets import Images, LabelledImages, Labels, emnist, fashion, mnist
from training.data.drawings import DrawingSet
from training.data.duplicates import near_duplicates
from training.data.image_sets import INK, ImageSet, concatenate, unchanged
from training.data.outliers import outlier_set
from training.data.splits import Split, random_split, sample_per_class, split_of_key, without_duplicates
from training.fitting.loop import Settings
from training.fitting.network import MergedClasses, plain_cnn
from training.recipe import Recipe
from training.recipes import digits, letters
from training.rendering import redrawing, touching
from training.rendering.augmentation import distort

SPLITS: Final[tuple[Split, ...]] = ("test", "validation", "train")
LABELS: Final = ("digit", "letter", "drawing")
DIGIT, LETTER, DRAWING = range(3)
# The network learns every digit, every letter and three sources of drawings as fine classes.
FINE_CLASSES: Final = {DIGIT: 10, LETTER: 26, DRAWING: 3}
FIRST_LETTER: Final = FINE_CLASSES[DIGIT]
DOODLE, SHAPE, SYMBOL = range(FIRST_LETTER + FINE_CLASSES[LETTER], sum(FINE_CLASSES.values()))
# Letters that look like a 0 or a 1 in one case or both.
DIGIT_LOOKALIKES: Final = "OIL"
ALL_IMAGES: Final = "digits + letters + drawings, test"
WITHOUT_LOOKALIKES: Final = "digits + letters without O/I/L + drawings, test"
# Words whose drawings are a single circle, line or hook, and so look like a letter or a digit.
SIMPLE_WORDS: Final = outliers.AMBIGUOUS | {
    "bandage", "banana", "baseball bat", "bracelet", "ear", "finger", "garden hose", "hexagon", "knee", "leg", "marker",
    "octagon", "pond", "pool", "potato", "rainbow", "rifle", "river", "stitches", "string bean", "toe",
}  # fmt: skip
# Images of each category in a training set, and of each in a held-out split.
EACH: Final = 40_000
HELD_OUT: Final = {"validation": 2500, "test": 3000}
# How many of these digits, and of these letters, are cut out of a line in which they touch. Both sides of what is cut out are
# within CUT_SIDES, a share of the height, of those of the character: less than the default, since an O without its end is a C.
CUT: Final = 8000
CUT_SIDES: Final = 0.12
# Pairs of digits, and pairs of letters, that touch.
PAIRS: Final = 4000
# The share of the training images that is distorted; held-out images are not.
DISTORTED: Final = 0.5
ROWS: Final = 4000
# Clothes in a training set, and in each of the held-out splits.
CLOTHES: Final = 4000
HELD_OUT_CLOTHES: Final = 3000


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of one split before rendering: scans ``uint8[N, 28, 28]``, doodles, drawings dark on light."""

    digits: LabelledImages
    letters: LabelledImages
    doodles: list[drawings.Doodle]
    shapes: DrawingSet
    symbols: DrawingSet


class Category(Recipe):
    """Classifies digits, letters and other drawings."""

    name = "category"
    title = "Digit, letter or other drawing"
    version = "1.3.0"
    spec = INK
    sources = (
        "MNIST train (LeCun, Cortes, Burges) and EMNIST digits (NIST, public domain), as digits",
        "EMNIST letters (NIST, public domain), as letters, split as for the letters model",
        "Quick, Draw! (Google, CC BY 4.0), split by drawing; hand-drawn rectangles and triangles (F. Robert, CC BY 4.0), split "
        "by user; Omniglot characters unlike ours (Lake et al., MIT), split by person: as drawings",
        "Fashion-MNIST (Zalando, MIT), rows of characters and pairs that touch, as examples of what is none of them",
        "all images thinned and redrawn with the same brushes (training.rendering.redrawing)",
        "characters also cut out of lines in which they touch (training.rendering.touching)",
    )
    settings = Settings(epochs=16, training_sets=4, weight_decay=0.05, label_smoothing=0.02)

    @property
    def labels(self) -> list[str]:
        return list(LABELS)

    @property
    def fine_classes(self) -> list[int]:
        return [label for label, count in FINE_CLASSES.items() for _ in range(count)]

    def network(self) -> nn.Sequential:
        widths = (32, 64, 128, 160, 192, 256)
        return nn.Sequential(
            *plain_cnn(widths, len(self.fine_classes), dropout=0.35), MergedClasses(list(FINE_CLASSES.values()))
        )

    def training(self, number: int) -> dict[str, ImageSet]:
        seeds = self.seeds(number)
        sources = self._sources["train"]
        whole = EACH - CUT
        scans = sources.digits.take(sample_per_class(sources.digits.labels, whole // 10, next(seeds)))
        written = sources.letters.take(sample_per_class(sources.letters.labels, whole // 26, next(seeds)))
        shapes = np.resize(sources.shapes.images, (EACH // 5, 70, 70))
        symbols = np.resize(sources.symbols.images, (EACH // 3, 105, 105))
        doodles = sources.doodles * (EACH // 2 // len(sources.doodles))
        images = {
            "digits": _redrawn(redrawing.redraw_scan, scans.images, scans.labels, next(seeds)),
            "letters": _redrawn(redrawing.redraw_scan, written.images, _with_fine_classes(written).labels, next(seeds)),
            "doodles": _redrawn(redrawing.redraw_doodle, doodles, DOODLE, next(seeds)),
            "shapes": _redrawn(redrawing.redraw_drawing, shapes, SHAPE, next(seeds)),
            "symbols": _redrawn(redrawing.redraw_drawing, symbols, SYMBOL, next(seeds)),
        }
        clothes = self._clothes["train"][number::10][:CLOTHES]
        return images | {
            "digits cut out of a line": _cut_out(sources.digits, next(seeds)),
            "letters cut out of a line": _cut_out(_with_fine_classes(sources.letters), next(seeds)),
            "rows": _rows(sources, next(seeds)),
            "pairs of digits": touching.pairs(sources.digits.images, PAIRS, next(seeds), redrawn=1),
            "pairs of letters": touching.pairs(sources.letters.images, PAIRS, next(seeds), redrawn=1),
            "clothes": outlier_set(unchanged, clothes),
        }

    def validation(self) -> dict[str, ImageSet]:
        return {"digits + letters + drawings, validation": self.held_out("validation")}

    def test(self) -> dict[str, ImageSet]:
        images = self.held_out("test")
        return {ALL_IMAGES: images, WITHOUT_LOOKALIKES: images.take(self.without_lookalikes("test"))}

    def out_of_distribution(self, split: Split) -> dict[str, ImageSet]:
        clothes = self._clothes[split]
        return {
            "rows of characters": _rows(self._sources[split], 11),
            "Fashion-MNIST": outlier_set(unchanged, clothes),
        }

    def held_out(self, split: Split) -> ImageSet:
        """The images of a held-out split: about as many digits as letters as drawings, redrawn with the same brushes."""
        sources, count = self._sources[split], HELD_OUT[split]
        scans, written = self.held_out_scans(split)
        pairs: list[Any] = [(redrawing.redraw_scan, image) for image in (*scans.images, *written.images)]
        rest = count - len(sources.doodles) - len(sources.symbols.images)
        shapes = sources.shapes.images[:: max(1, len(sources.shapes.images) // rest)][:rest]
        pairs += [(redrawing.redraw_doodle, doodle) for doodle in sources.doodles]
        pairs += [(redrawing.redraw_drawing, image) for image in (*sources.symbols.images, *shapes)]
        labels = np.repeat([DIGIT, LETTER], [len(scans), len(written)]).tolist()
        labels += [DRAWING] * (len(pairs) - len(labels))
        return ImageSet(_redraw, pairs, np.array(labels, dtype=np.int64), 21)

    def held_out_scans(self, split: Split) -> tuple[LabelledImages, LabelledImages]:
        """The digits and the letters of ``held_out(split)`` before rendering, in its order, with their own classes."""
        sources, count = self._sources[split], HELD_OUT[split]
        of_digits = sample_per_class(sources.digits.labels, count // 10, 3)
        of_letters = sample_per_class(sources.letters.labels, count // 26, 3)
        return sources.digits.take(of_digits), sources.letters.take(of_letters)

    def without_lookalikes(self, split: Split) -> npt.NDArray[np.int64]:
        """Indices into ``held_out(split)`` of all images but the letters that look like a 0 or a 1."""
        scans, written = self.held_out_scans(split)
        lookalikes = [letters.ALPHABET.index(letter) for letter in DIGIT_LOOKALIKES]
        left_out = len(scans) + np.flatnonzero(np.isin(written.labels, lookalikes))
        return np.setdiff1d(np.arange(len(self.held_out(split))), left_out)

    @cached_property
    def _sources(self) -> dict[Split, Sources]:
        training, validation = random_split(mnist(self.data, "train"), (digits.HELD_OUT,), self.settings.seed)
        characters = emnist(self.data)
        scans = [concatenate([training, characters.take(characters.labels < 10)]), validation, mnist(self.data, "test")]
        splits: dict[Split, Sources] = {}
        for split, scan, written in zip(
            SPLITS, reversed(scans), reversed(letters.split_letters(characters, self.settings.seed)), strict=True
        ):
            later = list(splits.values())
            known = [images for sources in later for images in (sources.digits.images, sources.letters.images)]
            splits[split] = Sources(
                scan.take(_new(scan.images, known)),
                written.take(_new(written.images, known)),
                [
                    one
                    for one in drawings.quickdraw(self.data)
                    if one.word not in SIMPLE_WORDS and split_of_key(one.key) == split
                ],
                _new_drawings(drawings.shapes(self.data).in_split(split), [one.shapes.images for one in later]),
                _new_drawings(drawings.symbols(self.data).in_split(split), [one.symbols.images for one in later]),
            )
        return splits

    @cached_property
    def _clothes(self) -> dict[Split, Images]:
        whole, test = fashion(self.data, "train"), fashion(self.data, "test")
        first, last = np.split(np.arange(len(whole)), [-HELD_OUT_CLOTHES])
        parts = without_duplicates([whole.take(first), whole.take(last), test.take(np.arange(len(test))[-HELD_OUT_CLOTHES:])])
        return {split: part.images for split, part in zip(reversed(SPLITS), parts, strict=True)}


def _new_drawings(drawn: DrawingSet, later: list[Images]) -> DrawingSet:
    return drawn.take(_new(drawn.images, later))


def _new(images: Images, later: list[Images]) -> npt.NDArray[np.int64]:
    """Indices of the images that are not, up to noise, in the held-out splits."""
    if not later:
        return np.arange(len(images))
    return np.flatnonzero(~near_duplicates(images, np.concatenate(later)))


def _redrawn(render: Any, sources: Any, fine_classes: int | Labels, seed: int) -> ImageSet:
    labels = np.broadcast_to(np.asarray(fine_classes, dtype=np.int64), len(sources))
    return ImageSet(_redraw_and_distort, [(render, source) for source in sources], labels, seed)


def _with_fine_classes(written: LabelledImages) -> LabelledImages:
    """Letters whose labels, 0 to 25, are replaced by their fine classes."""
    return LabelledImages(written.images, written.labels + FIRST_LETTER)


def _cut_out(characters: LabelledImages, seed: int) -> ImageSet:
    return touching.cut_out(characters, CUT, seed, sides=CUT_SIDES, redrawn=1)


def _rows(sources: Sources, seed: int) -> ImageSet:
    characters = np.concatenate([sources.digits.images, sources.letters.images])
    index = np.random.default_rng(seed).integers(0, len(characters), (ROWS, 4))
    return outlier_set(outliers.render_row, characters[index], seed)


def _redraw_and_distort(source: Any, rng: np.random.Generator) -> Image.Image:
    image = _redraw(source, rng)
    return distort(image, rng) if rng.random() < DISTORTED else image


def _redraw(source: Any, rng: np.random.Generator) -> Image.Image:
    render, drawing = source
    image: Image.Image = render(drawing, rng)
    return image
