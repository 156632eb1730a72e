"""The digit model behind FastAPI with as little as works: a plain ``def`` endpoint, which FastAPI runs in its thread pool."""

from typing import Any, BinaryIO

import numpy as np
from fastapi import FastAPI, HTTPException, UploadFile
from PIL import Image, ImageOps

from loadtests.baselines.usual import BOX, SIDE, Array, answer, load_labels, load_session, predict

app = FastAPI(title="Digits")
session = load_session()
labels = load_labels()


def prepare(file: BinaryIO) -> Array:
    """Preprocess dark ink on a light or transparent background to float32[1,28,28]: cropped, scaled to 20x20, in the middle.

    Raises:
        OSError: Pillow cannot read the file.
    """
    image = Image.open(file)
    grey = image.convert("L")
    if image.has_transparency_data:
        white = Image.new("L", image.size, "white")
        white.paste(grey, mask=image.convert("RGBA").getchannel("A"))
        grey = white
    ink = ImageOps.invert(grey)
    small = ImageOps.pad(ink.crop(ink.getbbox()), (BOX, BOX), Image.Resampling.BOX)
    frame: Array = np.array(ImageOps.expand(small, (SIDE - BOX) // 2), dtype=np.float32)[None]
    frame /= 255
    return frame


@app.post("/classify")
def classify(image: UploadFile) -> dict[str, Any]:
    """Classify one image."""
    try:
        tensor = prepare(image.file)
    except OSError as error:
        raise HTTPException(422, f"This image cannot be read: {error}") from error
    return answer(predict(session, tensor[None])[0], labels)
