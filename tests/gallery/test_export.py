"""The streamed ZIP export: content, file names and memory."""

import io
import json
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from gallery import Entry, Filter, Store, StoredImage, prepare_image, zip_entries
from gallery.export import CHUNK, MAX_NAME_BYTES, folder_name
from tests.gallery.entries import FOUR, SEVEN, allow, prediction
from tests.support.pictures import encoded

ODD = [
    "T-shirt/top",
    "Ankle boot",
    "..",
    ".",
    "50%",
    "50%25",
    "a\\b:c*?",
    "-",
    "한글",
    " edge ",
    "e\u0301",
    "CON.",
    "a\nb",
    "🙂",
]


LARGE = 1_500_000
# As the service keeps images.
FORMATS = ("PNG", "JPEG", "WEBP")


def document(entry: Entry) -> dict[str, Any]:
    return {"id": str(entry.id), "label": entry.label, "corrected": entry.corrected}


def exported(store: Store, choice: Filter = Filter()) -> zipfile.ZipFile:  # noqa: B008 - frozen
    archived = zipfile.ZipFile(io.BytesIO(b"".join(zip_entries(store.entries_with_images(choice), document))))
    assert archived.testzip() is None
    return archived


def test_zip_has_a_folder_per_label_and_a_manifest(store: Store) -> None:
    seven, _ = store.save(prediction("7"), SEVEN)
    four, _ = store.save(prediction("7"), FOUR)
    store.correct(four.id, "4", allow)
    archived = exported(store)
    assert archived.namelist() == [f"4/{four.id}.png", f"7/{seven.id}.png", "manifest.json"]
    assert archived.read(f"4/{four.id}.png") == FOUR.image
    *date, second = archived.getinfo(f"7/{seven.id}.png").date_time
    assert (*date, second) == (*seven.created.timetuple()[:5], seven.created.second // 2 * 2)  # a ZIP file counts in twos
    assert json.loads(archived.read("manifest.json")) == [
        {"id": str(four.id), "label": "7", "corrected": "4", "file": f"4/{four.id}.png"},
        {"id": str(seven.id), "label": "7", "corrected": None, "file": f"7/{seven.id}.png"},
    ]
    assert exported(store, Filter(corrected=True)).namelist() == [f"4/{four.id}.png", "manifest.json"]


def test_empty_gallery_exports_an_empty_manifest(store: Store) -> None:
    archived = exported(store)
    assert archived.namelist() == ["manifest.json"]
    assert json.loads(archived.read("manifest.json")) == []


def test_concurrent_changes_do_not_break_the_export(store: Store) -> None:
    kept = [store.save(prediction(), SEVEN)[0].id for _ in range(40)]

    def disturbed() -> Iterator[Entry]:
        for number, entry in enumerate(store.entries_with_images(Filter())):
            if number == 3:
                store.save(prediction(), SEVEN)
                store.delete(kept[0])
            yield entry

    archived = zipfile.ZipFile(io.BytesIO(b"".join(zip_entries(disturbed(), document))))
    assert archived.testzip() is None
    assert archived.namelist() == [*(f"7/{id}.png" for id in kept[:0:-1]), "manifest.json"]


def test_one_image_is_in_memory_at_a_time(store: Store) -> None:
    """Measured by what a reader has received when the next image is requested."""
    for _ in range(20):
        store.save(prediction(), SEVEN)
    asked = 0

    def counted() -> Iterator[Entry]:
        nonlocal asked
        for entry in store.entries_with_images(Filter()):
            asked += 1
            yield entry

    pieces = zip_entries(counted(), document)
    for number in range(1, 21):
        assert next(pieces)
        assert asked == number


def large(kind: str, number: int) -> StoredImage:
    """A picture of ``LARGE`` bytes that nothing makes smaller."""
    return replace(SEVEN, image=Random(number).randbytes(LARGE), media_type=kind)


def test_large_images_are_streamed_in_chunks(store: Store) -> None:
    for number in range(6):
        store.save(prediction(), large("image/png", number))
    tracemalloc.start()
    try:
        size = 0
        pieces = zip_entries(store.entries_with_images(Filter()), document)
        for piece in pieces:
            assert len(piece) < 3 * CHUNK
            size += len(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size > 6 * LARGE
    assert peak < 4 * LARGE


def test_file_suffix_follows_the_media_type(store: Store) -> None:
    kept = {kind: store.save(prediction(), replace(SEVEN, media_type=kind))[0].id for kind in ("image/jpeg", "image/webp")}
    assert set(exported(store).namelist()) == {f"7/{kept['image/jpeg']}.jpg", f"7/{kept['image/webp']}.webp", "manifest.json"}


def test_abandoned_export_closes_its_query(store: Store) -> None:
    for number in range(3):
        store.save(prediction(), large("image/png", number))
    ended = []

    def noticed() -> Iterator[Entry]:
        try:
            yield from store.entries_with_images(Filter())
        finally:
            ended.append(True)

    pieces = zip_entries(noticed(), document)
    for _ in range(5):  # in the middle of the first picture
        next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert ended == [True]
    assert store.delete_all() == 3


@pytest.mark.parametrize("label", ODD)
def test_unusual_labels_have_safe_folder_names(label: str) -> None:
    name = folder_name(label)
    assert unquote(name) == label
    assert name == name.strip()
    assert not set(name) & set('/\\:*?"<>|.\n\0')


@given(st.text(min_size=1, max_size=500), st.text(min_size=1, max_size=3))
def test_folder_names_are_unique_and_fit_into_a_file_system(label: str, more: str) -> None:
    name = folder_name(label)
    assert len(name.encode()) <= 255
    assert unquote(name) == label or len(name.encode()) > MAX_NAME_BYTES
    assert name != folder_name(label + more)


def test_a_text_of_lines_is_one_folder() -> None:
    assert folder_name("1987\n20") == "1987%0A20"


def test_python_zipfile_unpacks_the_export(store: Store, tmp_path: Path) -> None:
    for label in ODD:
        store.save(prediction(label), SEVEN)
    file = tmp_path / "gallery.zip"
    file.write_bytes(b"".join(zip_entries(store.entries_with_images(Filter()), document)))
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(file), str(tmp_path / "out")], check=True, timeout=60)
    found = {unquote(folder.name) for folder in (tmp_path / "out").iterdir() if folder.is_dir()}
    assert found == set(ODD)


def test_training_reads_the_labels(store: Store, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is missing; `make setup-train` installs it")
    from models.pictures import MIN_IMAGES
    from training.recipes.folder import Folder

    labels = ["T-shirt/top", "50%", "한글"]
    for number in range(MIN_IMAGES * len(labels)):
        drawing = Image.new("L", (280, 280), 255)
        ImageDraw.Draw(drawing).line((40 + 3 * number, 40, 200 - number, 240 - 3 * number), fill=0, width=12)
        image = prepare_image(encoded(drawing, FORMATS[number % 3]))
        store.save(prediction(labels[number // MIN_IMAGES], model="own"), image)
    exported(store).extractall(tmp_path)
    recipe = Folder(tmp_path, "own")
    assert recipe.labels == sorted(labels)
    assert len(recipe.files) == MIN_IMAGES * len(labels)
