"""Writes a small data folder: the files that training/README.md lists, with generated images and near duplicates."""

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
AUTHORS = 20


def write_idx(path: Path, array: Images, *, compressed: bool = True) -> None:
    """Write labels ``uint8[N]`` or images ``uint8[N, rows, columns]`` as an idx file, gzipped or not."""
    magic = 2051 if array.ndim == 3 else 2049
    content = struct.pack(f">{1 + array.ndim}I", magic, *array.shape) + array.tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if compressed else content)


def draw_symbol(number: int, rng: np.random.Generator, side: int = 28) -> Images:
    """Draw a random variation of a symbol, a bent line: ``uint8[side, side]``, light on black."""
    points = np.random.default_rng(number).uniform(0.2, 0.8, (5, 2)) + rng.normal(0, 0.06, (5, 2))
    canvas = Image.new("L", (4 * side, 4 * side))
    dots = [(float(x), float(y)) for x, y in points.clip(0.1, 0.9) * 4 * side]
    ImageDraw.Draw(canvas).line(dots, fill=255, width=round(4 * side * rng.uniform(0.06, 0.12)), joint="curve")
    drawn: Images = np.asarray(canvas.reduce(4))
    return drawn


def draw_garment(number: int, rng: np.random.Generator) -> Images:
    """Draw a random variation of a garment, a patch with a pattern: ``uint8[28, 28]``, light on black."""
    corners = np.random.default_rng(number).uniform(0.1, 0.9, (6, 2)) + rng.normal(0, 0.08, (6, 2))
    canvas = Image.new("L", (112, 112))
    ImageDraw.Draw(canvas).polygon([(float(x), float(y)) for x, y in corners.clip(0, 1) * 112], fill=255)
    rows, columns = np.mgrid[:28, :28]
    pattern = 0.75 + 0.25 * np.sin(rows * rng.uniform(0, 2) + columns * rng.uniform(0, 2))
    return np.asarray(np.asarray(canvas.reduce(4)) * pattern, dtype=np.uint8)


def near_copy(image: Images, rng: np.random.Generator) -> Images:
    """Make a near duplicate of an image: a little darker, with noise where there is ink."""
    noise = rng.normal(0, 4, image.shape) * (image > 0)
    return (image * 0.97 + noise).clip(0, 255).astype(np.uint8)


def write_datasets(folder: Path) -> None:
    """Write every data set. About a third of the images are near duplicates of others, in the same file or another."""
    rng = np.random.default_rng(0)
    _write_digits_and_clothes(folder, rng)
    _write_emnist(folder / "emnist", rng)
    (folder / "drawings" / "omniglot").mkdir(parents=True)
    _write_quickdraw(folder / "drawings" / "quickdraw-raw-strokes.ndjson.gz", rng)
    _write_shapes(folder / "drawings" / "hand-drawn-shapes-70x70.npz", rng)
    for archive, alphabets in CHARACTERS.items():
        _write_omniglot(folder / "drawings" / "omniglot" / f"{archive}.zip", archive, alphabets, rng)


def _with_near_copies(images: Images, labels: Images, rng: np.random.Generator) -> tuple[Images, Images]:
    """Append a near duplicate of every second image."""
    copies = np.stack([near_copy(image, rng) for image in images[::2]])
    return np.concatenate([images, copies]), np.concatenate([labels, labels[::2]])


def _write_digits_and_clothes(folder: Path, rng: np.random.Generator) -> None:
    for name, draw in (("mnist", draw_symbol), ("fashion-mnist", draw_garment)):
        test_labels, labels = (np.repeat(np.arange(10, dtype=np.uint8), count) for count in (8, 16))
        test = np.stack([draw(int(label), rng) for label in test_labels])
        train, labels = _with_near_copies(np.stack([draw(int(label), rng) for label in labels]), labels, rng)
        # Four test images of each class are in the training file as well, two of them with noise.
        seen = np.concatenate([test[::4], np.stack([near_copy(image, rng) for image in test[1::4]])])
        train, labels = np.concatenate([train, seen]), np.concatenate([labels, test_labels[::4], test_labels[1::4]])
        for split, images, classes in (("train", train, labels), ("t10k", test, test_labels)):
            write_idx(folder / name / f"{split}-images-idx3-ubyte.gz", images)
            write_idx(folder / name / f"{split}-labels-idx1-ubyte.gz", classes)


def _write_emnist(folder: Path, rng: np.random.Generator) -> None:
    """Write 10 digits, 26 capitals and 26 small letters; the second file has near duplicates of the first."""
    labels = np.repeat(np.arange(62, dtype=np.uint8), 6)
    # Every letter is another symbol, but O is the symbol of 0.
    symbols = np.where(labels == 24, 0, labels)
    first = np.stack([draw_symbol(int(symbol), rng) for symbol in symbols])
    second, more = _with_near_copies(np.stack([draw_symbol(int(symbol), rng) for symbol in symbols]), labels, rng)
    seen = np.stack([near_copy(image, rng) for image in first[::3]])
    zeros, ohs = np.flatnonzero(labels == 0), np.flatnonzero(labels == 24)
    second[ohs[:3]] = first[zeros[:3]]
    second, more = np.concatenate([second, seen]), np.concatenate([more, labels[::3]])
    codes = [*range(48, 58), *range(65, 91), *range(97, 123)]
    mapping = "".join(f"{label} {code}\n" for label, code in enumerate(codes))
    for name, images, classes in (("byclass-test", first, labels), ("bymerge-test-minus-byclass-test", second, more)):
        write_idx(folder / f"emnist-{name}-images-idx3-ubyte.gz", images.swapaxes(1, 2))
        write_idx(folder / f"emnist-{name}-labels-idx1-ubyte.gz", classes)
        (folder / f"emnist-{name.split('-')[0]}-mapping.txt").write_text(mapping, encoding="ascii")


def _write_quickdraw(path: Path, rng: np.random.Generator) -> None:
    """Write twelve drawings of each word, as strokes of x, y and time; the first one twice."""
    lines = []
    for number, word in enumerate(WORDS):
        for drawer in range(12):
            points = (np.random.default_rng(number).uniform(0, 200, (2, 4, 2)) + rng.normal(0, 12, (2, 4, 2))).round()
            strokes = [[*stroke.T.tolist(), [0, 10, 20, 30]] for stroke in points]
            lines.append(json.dumps({"word": word, "key_id": f"{number}{drawer:02}", "drawing": strokes}))
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join([*lines, lines[0]]) + "\n")


def _write_shapes(path: Path, rng: np.random.Generator) -> None:
    """Write every shape by every user, dark on light; every third user copied those of the first."""
    categories = ["ellipse", "other", "rectangle", "triangle"]
    images: list[Images] = []
    labels, users = [], []
    for user in range(AUTHORS):
        for label in range(4):
            drawn = 255 - draw_symbol(100 + label, rng, side=70)
            images.append(images[label] if user % 3 == 2 else drawn)
            labels.append(label)
            users.append(f"drawer {user}")
    np.savez(
        path, images=np.stack(images), labels=np.array(labels, np.uint8), categories=np.array(categories), users=np.array(users)
    )


def _write_omniglot(path: Path, archive: str, alphabets: dict[str, tuple[int, ...]], rng: np.random.Generator) -> None:
    """Write every character by every author, black on white; every fourth author copied the first."""
    with zipfile.ZipFile(path, "w") as files:
        for number, (alphabet, characters) in enumerate(alphabets.items()):
            for character in characters:
                first = draw_symbol(200 + 50 * number + character, rng, side=105)
                for author in range(1, AUTHORS + 1):
                    drawn = first if author % 4 == 1 else draw_symbol(200 + 50 * number + character, rng, side=105)
                    buffer = io.BytesIO()
                    Image.fromarray(255 - drawn).point(lambda level: 255 * (level > 127)).convert("1").save(buffer, "PNG")
                    files.writestr(f"{archive}/{alphabet}/character{character:02}/0001_{author:02}.png", buffer.getvalue())
