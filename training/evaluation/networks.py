"""The networks of a catalogue in this process, as the service runs them: one thread, on the CPU, calibrated."""

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from PIL import Image

from models.card import CARD_FILE, MODEL_FILE, ModelCard, read_card
from models.outputs import LogitsFunction, probabilities, session_run
from preprocessing import NoInk, Tensor, load, preprocess

Probabilities = npt.NDArray[np.float64]

NO_INK: Final = -1


class Network:
    """A model of the catalogue, and its card."""

    def __init__(self, folder: Path) -> None:
        card = read_card(folder / CARD_FILE)
        assert isinstance(card, ModelCard)
        self.card = card
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        session = ort.InferenceSession(str(folder / MODEL_FILE), options, providers=["CPUExecutionProvider"])
        self._logits = LogitsFunction(session_run(session, card.output), card.output, card.fixed_batch)

    def __call__(self, batch: Tensor) -> Probabilities:
        """The probabilities float64[N,K] of a batch."""
        return probabilities(self._logits(batch), self.card.output, self.card.calibration.temperature)

    def classify(self, image: Image.Image) -> int:
        """The index of the most probable label, or ``NO_INK`` where no ink is found."""
        try:
            batch = preprocess(load(image), self.card.input)[None]
        except NoInk:
            return NO_INK
        return int(self(batch).argmax())
