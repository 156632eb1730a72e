"""The recipe of ``category``: is it a digit, a letter or another drawing? Every source is drawn with the same pens."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image
from torch import nn

from training import drawings, pens, strangers
from training.augment import bend
from training.copies import near_copies
from training.datasets import Images, Labelled, Labels, emnist, fashion, mnist
from training.drawings import Drawn
from training.frames import INK, Pictures, as_it_is, joined
from training.network import Merged, convolutions
from training.recipe import Recipe
from training.recipes import digits, letters
from training.splits import Part, apart, held_out, of_each_class, part_of
from training.strangers import unknown
from training.train import Settings

PARTS: Final[tuple[Part, ...]] = ("test", "validation", "train")
LABELS: Final = ("digit", "letter", "drawing")
DIGIT, LETTER, DRAWING = range(3)
# While it trains, the network tells every digit, every letter and three ways to draw apart.
KINDS: Final = {DIGIT: 10, LETTER: 26, DRAWING: 3}
FIRST_LETTER: Final = KINDS[DIGIT]
DOODLE, SHAPE, SIGN = range(FIRST_LETTER + KINDS[LETTER], sum(KINDS.values()))
# Letters of which one case or both cannot be told from a 0 or a 1: nobody could.
ALIKE: Final = "OIL"
WHOLE: Final = "digits + letters + drawings, test"
WITHOUT_ALIKE: Final = "digits + letters without O/I/L + drawings, test"
# Words whose drawings are a single round, stick or hook, and so a letter or a digit as well.
PLAIN: Final = strangers.AMBIGUOUS | {
    "bandage", "banana", "baseball bat", "bracelet", "ear", "finger", "garden hose", "hexagon", "knee", "leg", "marker",
    "octagon", "pond", "pool", "potato", "rainbow", "rifle", "river", "stitches", "string bean", "toe",
}  # fmt: skip
# Pictures of each source in one bank, and of each category in what is held out.
EACH: Final = 40_000
HELD_OUT: Final = {"validation": 2500, "test": 3000}
# The share of what trains that is bent; what judges is not.
BENT: Final = 0.5
ROWS: Final = 4000
# Clothes in one bank, and those of either part that is held out.
CLOTHES: Final = 4000
STRANGERS: Final = 3000


@dataclass(frozen=True, slots=True)
class Sources:
    """What people wrote and drew in one part, unrendered: scans ``uint8[N, 28, 28]``, doodles, drawings dark on light."""

    digits: Labelled
    letters: Labelled
    doodles: list[drawings.Doodle]
    shapes: Drawn
    signs: Drawn


class Category(Recipe):
    """Digits, letters and other drawings told apart."""

    name = "category"
    title = "Digit, letter or other drawing"
    version = "1.2.0"
    spec = INK
    sources = (
        "MNIST train (LeCun, Cortes, Burges) and EMNIST digits (NIST, public domain), as digits",
        "EMNIST letters (NIST, public domain), as letters, split as for the letters model",
        "Quick, Draw! (Google, CC BY 4.0), split by drawing; hand-drawn rectangles and triangles (F. Robert, CC BY 4.0), split "
        "by user; Omniglot characters unlike ours (Lake et al., MIT), split by person: as drawings",
        "Fashion-MNIST (Zalando, MIT) and rows of characters, as examples of what is none of them",
        "everything thinned and drawn again with the same pens (training.pens)",
    )
    settings = Settings(epochs=16, renewed=4, weight_decay=0.05, smoothing=0.02)

    @property
    def labels(self) -> list[str]:
        return list(LABELS)

    @property
    def kinds(self) -> list[int]:
        return [label for label, count in KINDS.items() for _ in range(count)]

    def network(self) -> nn.Sequential:
        return nn.Sequential(
            *convolutions((32, 64, 128, 160, 192, 256), len(self.kinds), dropout=0.35), Merged(list(KINDS.values()))
        )

    def training(self, number: int) -> dict[str, Pictures]:
        seeds = self.seeds(number)
        part = self._parts["train"]
        scans = part.digits.take(of_each_class(part.digits.labels, EACH // 10, next(seeds)))
        written = part.letters.take(of_each_class(part.letters.labels, EACH // 26, next(seeds)))
        shapes, signs = np.resize(part.shapes.images, (EACH // 5, 70, 70)), np.resize(part.signs.images, (EACH // 3, 105, 105))
        shown = {
            "digits": _drawn(pens.scan, scans.images, scans.labels, next(seeds)),
            "letters": _drawn(pens.scan, written.images, written.labels + FIRST_LETTER, next(seeds)),
            "doodles": _drawn(pens.doodle, part.doodles * (EACH // 2 // len(part.doodles)), DOODLE, next(seeds)),
            "shapes": _drawn(pens.print_of, shapes, SHAPE, next(seeds)),
            "signs": _drawn(pens.print_of, signs, SIGN, next(seeds)),
        }
        clothes = self._clothes["train"][number::10][:CLOTHES]
        return shown | {
            "rows": _rows(part, next(seeds)),
            "clothes": Pictures(as_it_is, clothes, unknown(len(clothes))),
        }

    def validation(self) -> dict[str, Pictures]:
        return {"digits + letters + drawings, validation": self.held_out("validation")}

    def test(self) -> dict[str, Pictures]:
        pictures = self.held_out("test")
        return {WHOLE: pictures, WITHOUT_ALIKE: pictures.take(self.unlike("test"))}

    def strangers(self, part: Part) -> dict[str, Pictures]:
        clothes = self._clothes[part]
        return {
            "rows of characters": _rows(self._parts[part], 11),
            "Fashion-MNIST": Pictures(as_it_is, clothes, unknown(len(clothes))),
        }

    def held_out(self, part: Part) -> Pictures:
        """As many digits as letters as drawings of a part, drawn with the same pens."""
        sources, count = self._parts[part], HELD_OUT[part]
        kinds = self.written(part)
        made: list[Any] = [(pens.scan, picture) for picture in (*kinds[0].images, *kinds[1].images)]
        rest = count - len(sources.doodles) - len(sources.signs.images)
        made += [(pens.doodle, one) for one in sources.doodles]
        made += [(pens.print_of, picture) for picture in sources.signs.images]
        made += [
            (pens.print_of, picture) for picture in sources.shapes.images[:: max(1, len(sources.shapes.images) // rest)][:rest]
        ]
        labels = np.repeat([DIGIT, LETTER], [len(kinds[0]), len(kinds[1])]).tolist()
        labels += [DRAWING] * (len(made) - len(labels))
        return Pictures(_by_its_pen, made, np.array(labels, dtype=np.int64), 21)

    def written(self, part: Part) -> tuple[Labelled, Labelled]:
        """The digits and the letters in ``held_out(part)``, in its order, with what they are."""
        sources, count = self._parts[part], HELD_OUT[part]
        chosen = of_each_class(sources.digits.labels, count // 10, 3)
        others = of_each_class(sources.letters.labels, count // 26, 3)
        return sources.digits.take(chosen), sources.letters.take(others)

    def unlike(self, part: Part) -> npt.NDArray[np.int64]:
        """Places in ``held_out(part)`` of all but the letters that have the shape of a 0 or a 1."""
        scans, written = self.written(part)
        alike = len(scans) + np.flatnonzero(np.isin(written.labels, [letters.ALPHABET.index(letter) for letter in ALIKE]))
        return np.setdiff1d(np.arange(len(self.held_out(part))), alike)

    @cached_property
    def _parts(self) -> dict[Part, Sources]:
        training, validation = held_out(mnist(self.data, "train"), (digits.HELD_OUT,), self.settings.seed)
        characters = emnist(self.data)
        scans = [joined([training, characters.take(characters.labels < 10)]), validation, mnist(self.data, "test")]
        parts: dict[Part, Sources] = {}
        for part, scan, written in zip(
            PARTS, reversed(scans), reversed(letters.split(characters, self.settings.seed)), strict=True
        ):
            later = list(parts.values())
            known = [one for sources in later for one in (sources.digits.images, sources.letters.images)]
            parts[part] = Sources(
                scan.take(_new(scan.images, known)),
                written.take(_new(written.images, known)),
                [one for one in drawings.quickdraw(self.data) if one.word not in PLAIN and part_of(one.key) == part],
                _unseen(drawings.shapes(self.data).by(part), [one.shapes.images for one in later]),
                _unseen(drawings.signs(self.data).by(part), [one.signs.images for one in later]),
            )
        return parts

    @cached_property
    def _clothes(self) -> dict[Part, Images]:
        whole, test = fashion(self.data, "train"), fashion(self.data, "test")
        first, last = np.split(np.arange(len(whole)), [-STRANGERS])
        parts = apart([whole.take(first), whole.take(last), test.take(np.arange(len(test))[-STRANGERS:])])
        return {part: some.images for part, some in zip(reversed(PARTS), parts, strict=True)}


def _unseen(drawn: Drawn, later: list[Images]) -> Drawn:
    return drawn.take(_new(drawn.images, later))


def _new(images: Images, later: list[Images]) -> npt.NDArray[np.int64]:
    """Places of the pictures that are not, but for noise, among those of the parts that judge."""
    if not later:
        return np.arange(len(images))
    return np.flatnonzero(~near_copies(images, np.concatenate(later)))


def _drawn(pen: Any, sources: Any, kinds: int | Labels, seed: int) -> Pictures:
    labels = np.broadcast_to(np.asarray(kinds, dtype=np.int64), len(sources))
    return Pictures(_bent_or_not, [(pen, drawing) for drawing in sources], labels, seed)


def _rows(part: Sources, seed: int) -> Pictures:
    characters = np.concatenate([part.digits.images, part.letters.images])
    chosen = np.random.default_rng(seed).integers(0, len(characters), (ROWS, 4))
    return Pictures(strangers.row, characters[chosen], unknown(ROWS), seed)


def _bent_or_not(source: Any, hand: np.random.Generator) -> Image.Image:
    picture = _by_its_pen(source, hand)
    return bend(picture, hand) if hand.random() < BENT else picture


def _by_its_pen(source: Any, hand: np.random.Generator) -> Image.Image:
    make, drawing = source
    picture: Image.Image = make(drawing, hand)
    return picture
