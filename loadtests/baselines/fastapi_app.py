"""The digit model behind plain FastAPI and ONNX Runtime."""

import io
from typing import Any

from fastapi import FastAPI, HTTPException, UploadFile
from PIL import Image

from loadtests.baselines.usual import answer, load_labels, load_session, predict, prepare

app = FastAPI(title="Digits")
session = load_session()
labels = load_labels()


@app.post("/classify")
async def classify(image: UploadFile) -> dict[str, Any]:
    """Classify one image."""
    try:
        tensor = prepare(Image.open(io.BytesIO(await image.read())))
    except (OSError, ValueError) as error:
        raise HTTPException(422, f"This image cannot be read: {error}") from error
    return answer(predict(session, tensor[None])[0], labels)
