"""A data folder in small: the files that training/README.md lists, with drawings made here and near copies planted."""

import gzip
import io
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Images = npt.NDArray[np.uint8]

WORDS = ("book", "bus", "camera", "candle", "car", "cat", "circle", "crab", "dog", "hexagon", "sun", "tent", "tree", "zigzag")
CHARACTERS = {
    "images_background_small1": {"Balinese": (1, 5), "Greek": (1,), "Korean": (4, 5), "Latin": (1,)},
    "images_background_small2": {"Greek": (2,), "Latin": (2,), "Sanskrit": (1, 11), "Tagalog": (1, 3)},
}
PEOPLE = 20


def write_idx(path: Path, array: Images, *, packed: bool = True) -> None:
    """Labels ``uint8[N]`` or pictures ``uint8[N, rows, columns]`` as an idx file, gzipped or not."""
    magic = 2051 if array.ndim == 3 else 2049
    content = struct.pack(f">{1 + array.ndim}I", magic, *array.shape) + array.tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if packed else content)


def written(kind: int, hand: np.random.Generator, side: int = 28) -> Images:
    """The sign of this number by some hand: a bent line, ``uint8[side, side]``, light on black."""
    points = np.random.default_rng(kind).uniform(0.2, 0.8, (5, 2)) + hand.normal(0, 0.06, (5, 2))
    sheet = Image.new("L", (4 * side, 4 * side))
    dots = [(float(x), float(y)) for x, y in points.clip(0.1, 0.9) * 4 * side]
    ImageDraw.Draw(sheet).line(dots, fill=255, width=round(4 * side * hand.uniform(0.06, 0.12)), joint="curve")
    drawn: Images = np.asarray(sheet.reduce(4))
    return drawn


def garment(kind: int, hand: np.random.Generator) -> Images:
    """A thing of this kind: a patch with a pattern, ``uint8[28, 28]``, light on black."""
    corners = np.random.default_rng(kind).uniform(0.1, 0.9, (6, 2)) + hand.normal(0, 0.08, (6, 2))
    sheet = Image.new("L", (112, 112))
    ImageDraw.Draw(sheet).polygon([(float(x), float(y)) for x, y in corners.clip(0, 1) * 112], fill=255)
    rows, columns = np.mgrid[:28, :28]
    pattern = 0.75 + 0.25 * np.sin(rows * hand.uniform(0, 2) + columns * hand.uniform(0, 2))
    return np.asarray(np.asarray(sheet.reduce(4)) * pattern, dtype=np.uint8)


def again(picture: Images, hand: np.random.Generator) -> Images:
    """The same picture saved by another program: a little darker, with noise where there is ink."""
    noise = hand.normal(0, 4, picture.shape) * (picture > 0)
    return (picture * 0.97 + noise).clip(0, 255).astype(np.uint8)


def write_data(folder: Path) -> None:
    """Write every source. About a third of the pictures are near copies of others, of the same file or of another."""
    hand = np.random.default_rng(0)
    _write_digits_and_clothes(folder, hand)
    _write_emnist(folder / "emnist", hand)
    (folder / "drawings" / "omniglot").mkdir(parents=True)
    _write_quickdraw(folder / "drawings" / "quickdraw-raw-strokes.ndjson.gz", hand)
    _write_shapes(folder / "drawings" / "hand-drawn-shapes-70x70.npz", hand)
    for archive, alphabets in CHARACTERS.items():
        _write_omniglot(folder / "drawings" / "omniglot" / f"{archive}.zip", archive, alphabets, hand)


def _with_copies(images: Images, labels: Images, hand: np.random.Generator) -> tuple[Images, Images]:
    """Pictures and labels, and every second of them again."""
    copies = np.stack([again(picture, hand) for picture in images[::2]])
    return np.concatenate([images, copies]), np.concatenate([labels, labels[::2]])


def _write_digits_and_clothes(folder: Path, hand: np.random.Generator) -> None:
    for name, draw in (("mnist", written), ("fashion-mnist", garment)):
        test_labels, labels = (np.repeat(np.arange(10, dtype=np.uint8), count) for count in (8, 16))
        test = np.stack([draw(int(label), hand) for label in test_labels])
        train, labels = _with_copies(np.stack([draw(int(label), hand) for label in labels]), labels, hand)
        # Two test pictures of each kind are in the file to train on as well.
        seen = np.concatenate([test[::4], np.stack([again(picture, hand) for picture in test[1::4]])])
        train, labels = np.concatenate([train, seen]), np.concatenate([labels, test_labels[::4], test_labels[1::4]])
        for split, images, kinds in (("train", train, labels), ("t10k", test, test_labels)):
            write_idx(folder / name / f"{split}-images-idx3-ubyte.gz", images)
            write_idx(folder / name / f"{split}-labels-idx1-ubyte.gz", kinds)


def _write_emnist(folder: Path, hand: np.random.Generator) -> None:
    """10 digits, 26 capitals and 26 small letters; the second file holds some of the first again."""
    labels = np.repeat(np.arange(62, dtype=np.uint8), 6)
    # Letters are signs of their own; O is drawn as 0 is.
    kinds = np.where(labels == 24, 0, labels)
    first = np.stack([written(int(kind), hand) for kind in kinds])
    second, more = _with_copies(np.stack([written(int(kind), hand) for kind in kinds]), labels, hand)
    seen = np.stack([again(picture, hand) for picture in first[::3]])
    zeros, ohs = np.flatnonzero(labels == 0), np.flatnonzero(labels == 24)
    second[ohs[:3]] = first[zeros[:3]]
    second, more = np.concatenate([second, seen]), np.concatenate([more, labels[::3]])
    codes = [*range(48, 58), *range(65, 91), *range(97, 123)]
    mapping = "".join(f"{label} {code}\n" for label, code in enumerate(codes))
    for name, images, classes in (("byclass-test", first, labels), ("bymerge-test-minus-byclass-test", second, more)):
        write_idx(folder / f"emnist-{name}-images-idx3-ubyte.gz", images.swapaxes(1, 2))
        write_idx(folder / f"emnist-{name}-labels-idx1-ubyte.gz", classes)
        (folder / f"emnist-{name.split('-')[0]}-mapping.txt").write_text(mapping, encoding="ascii")


def _write_quickdraw(path: Path, hand: np.random.Generator) -> None:
    """Twelve drawings of each word in strokes of x, y and time; the first one twice."""
    lines = []
    for number, word in enumerate(WORDS):
        for drawer in range(12):
            points = (np.random.default_rng(number).uniform(0, 200, (2, 4, 2)) + hand.normal(0, 12, (2, 4, 2))).round()
            strokes = [[*stroke.T.tolist(), [0, 10, 20, 30]] for stroke in points]
            lines.append(json.dumps({"word": word, "key_id": f"{number}{drawer:02}", "drawing": strokes}))
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join([*lines, lines[0]]) + "\n")


def _write_shapes(path: Path, hand: np.random.Generator) -> None:
    """Every shape by every user, dark on light; every third user handed in some of another's."""
    categories = ["ellipse", "other", "rectangle", "triangle"]
    images: list[Images] = []
    labels, users = [], []
    for user in range(PEOPLE):
        for label in range(4):
            drawn = 255 - written(100 + label, hand, side=70)
            images.append(images[label] if user % 3 == 2 else drawn)
            labels.append(label)
            users.append(f"drawer {user}")
    np.savez(
        path, images=np.stack(images), labels=np.array(labels, np.uint8), categories=np.array(categories), users=np.array(users)
    )


def _write_omniglot(path: Path, archive: str, alphabets: dict[str, tuple[int, ...]], hand: np.random.Generator) -> None:
    """Every character by every person, dark on light in black and white; every fourth person copied the first."""
    with zipfile.ZipFile(path, "w") as files:
        for number, (alphabet, characters) in enumerate(alphabets.items()):
            for character in characters:
                first = written(200 + 50 * number + character, hand, side=105)
                for person in range(1, PEOPLE + 1):
                    drawn = first if person % 4 == 1 else written(200 + 50 * number + character, hand, side=105)
                    buffer = io.BytesIO()
                    Image.fromarray(255 - drawn).point(lambda level: 255 * (level > 127)).convert("1").save(buffer, "PNG")
                    files.writestr(f"{archive}/{alphabet}/character{character:02}/0001_{person:02}.png", buffer.getvalue())
