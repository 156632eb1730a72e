"""How a model reads digits that do not look like its data: ``python -m training.robustness --data DIR``, ``make robustness``.

Digits of the MNIST test split, rendered as pictures under every change of ``training.changes``, through the project's own
preprocessing and the shipped model; and how well preprocessing tells one character from several (``training.several``).
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from PIL import Image

from models.card import CARD_FILE, MODEL_FILE, ModelCard, read_card
from models.terminal import printable
from preprocessing import NoInk, load, preprocess, stages
from training.changes import CHANGES, Change
from training.datasets import DataError, Labelled, mnist
from training.several import Share, scans_of_test_splits
from training.several import measure as measure_several

UNREAD: Final = -1
AGREEMENT: Final = 0.995
CLEAN: Final = 0.995
THUMBNAIL: Final = 112
EXAMPLES: Final = 4

Winners = npt.NDArray[np.int64]


class Reader:
    """A model of the catalogue: picture in, class out."""

    def __init__(self, folder: Path) -> None:
        card = read_card(folder / CARD_FILE)
        assert isinstance(card, ModelCard)
        self.card = card
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = ort.InferenceSession(str(folder / MODEL_FILE), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def read(self, image: Image.Image) -> int:
        """Index of the winning label, or ``UNREAD`` where no ink is found."""
        try:
            tensor = preprocess(load(image), self.card.input)
        except NoInk:
            return UNREAD
        (logits,) = self._session.run(None, {self._input: tensor[None]})
        return int(logits[0].argmax())


@dataclass(frozen=True, slots=True)
class Row:
    """One change: the accuracy under it, and the share of answers that are those of the unchanged digits."""

    change: Change
    accuracy: float
    agreement: float

    @property
    def kept(self) -> bool:
        """Whether the promise of the change holds."""
        return self.accuracy >= self.change.bound and (not self.change.neutral or self.agreement >= AGREEMENT)

    def cells(self) -> list[str]:
        """The row of the table."""
        bound = f"{self.change.bound:.1%}" + (f", same answer {AGREEMENT:.1%}" if self.change.neutral else "")
        return [self.change.name, f"{self.accuracy:.2%}", f"{self.agreement:.2%}", bound, "yes" if self.kept else "**no**"]


def winners(reader: Reader, digits: Labelled, change: Change | None, seed: int) -> Winners:
    """What every digit is read as under a change, or as it is: ``int64[N]``."""
    hand = np.random.default_rng(seed)
    shown = (Image.fromarray(digit) if change is None else change.render(digit, hand) for digit in digits.images)
    return np.array([reader.read(image) for image in shown], dtype=np.int64)


def measure(reader: Reader, digits: Labelled, changes: Sequence[Change] = CHANGES, seed: int = 0) -> tuple[float, list[Row]]:
    """Accuracy of the digits as they are, and a row for every change."""
    plain = winners(reader, digits, None, seed)
    rows = []
    for change in changes:
        found = winners(reader, digits, change, seed)
        rows.append(Row(change, float((found == digits.labels).mean()), float((found == plain).mean())))
    return float((plain == digits.labels).mean()), rows


def example(reader: Reader, digits: Labelled, change: Change, seed: int) -> Image.Image:
    """A strip of pictures under the change, each above the frame the model sees."""
    hand = np.random.default_rng(seed)
    strip = Image.new("RGB", (EXAMPLES * (THUMBNAIL + 6) - 6, 2 * THUMBNAIL + 6), (128, 128, 128))
    for place, digit in enumerate(digits.images[:EXAMPLES]):
        image = load(change.render(digit, hand))
        frame = stages(image, reader.card.input)[-1].image.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.NEAREST)
        shown = image.convert("RGBA")
        shown.thumbnail((THUMBNAIL, THUMBNAIL))
        shown = shown.resize((THUMBNAIL, THUMBNAIL * shown.height // shown.width)) if shown.width < THUMBNAIL else shown
        left = place * (THUMBNAIL + 6)
        strip.paste(shown, (left, (THUMBNAIL - shown.height) // 2), shown)
        strip.paste(frame, (left, THUMBNAIL + 6))
    return strip


def report(reader: Reader, digits: Labelled, clean: float, rows: list[Row], shares: Sequence[Share], out: Path) -> None:
    """Write ``robustness.md`` and a picture per change under ``out``; ``shares`` are of characters alone and several."""
    pictures = out / "images" / "robustness"
    pictures.mkdir(parents=True, exist_ok=True)
    lines = [
        "# Robustness",
        "",
        f"The first {len(digits):,} digits of the MNIST test split, rendered as pictures under {len(rows)} changes and read by "
        f"`{reader.card.tag}` through the project's preprocessing. As they are, {clean:.2%} are read right "
        f"(promised: {CLEAN:.1%}). `make robustness DATA=path/to/data` measures it again and writes this page.",
        "",
        "| change | accuracy | same answer as unchanged | promised | kept |",
        "| --- | --- | --- | --- | --- |",
        *("| " + " | ".join(row.cells()) + " |" for row in rows),
        "",
        "## One character or several",
        "",
        "A model of single characters rejects a picture of several. Digits are of the MNIST test split, letters of the test "
        "split of `letters`; the thresholds were chosen on validation pictures. Blank between neighbours is 0.1 to 1 times the "
        "width of a character, and of pairs and triples one in five is in two lines. Another pen takes some characters apart.",
        "",
        "| pictures | n | rejected as several characters | promised | kept |",
        "| --- | ---: | ---: | --- | --- |",
        *("| " + " | ".join(share.cells()) + " |" for share in shares),
        "",
        "## The pictures",
        "",
        "Above: what is sent. Below: what the model sees.",
    ]
    for row in rows:
        name = row.change.name.replace(" ", "-").replace(",", "").replace(".", "") + ".png"
        example(reader, digits, row.change, 0).save(pictures / name, optimize=True)
        lines += ["", f"**{row.change.name}**", "", f"![{row.change.name}](images/robustness/{name})"]
    (out / "robustness.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> int:
    """Print the table and write the page; 1 when a promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m training.robustness", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds mnist/t10k-*-ubyte(.gz) and emnist/")
    parser.add_argument("--model", type=Path, default=Path("models/digits"))
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    arguments = parser.parse_args()
    try:
        digits = mnist(arguments.data, "test").take(np.arange(arguments.n))
        scans = scans_of_test_splits(arguments.data)
    except DataError as error:
        sys.stderr.write(f"{printable(str(error))}\n")
        return 2
    reader = Reader(arguments.model)
    clean, rows = measure(reader, digits)
    sys.stdout.write(f"{'as they are':28} {clean:.2%}\n")
    for row in rows:
        name, accuracy, agreement, bound, _ = row.cells()
        sys.stdout.write(f"{name:28} {accuracy:>8} {agreement:>8}   {bound}{'' if row.kept else '   BROKEN'}\n")
    shares = measure_several(*scans)
    for share in shares:
        name, _, rejected, promised, _ = share.cells()
        sys.stdout.write(f"{name:34} {rejected:>8}   {promised}{'' if share.kept else '   BROKEN'}\n")
    report(reader, digits, clean, rows, shares, arguments.out)
    kept = [*(row.kept for row in rows), *(share.kept for share in shares)]
    return 0 if clean >= CLEAN and all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
