"""The output of a classifier: which one it is, what its numbers are, and how they become logits."""

from collections.abc import Callable
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from preprocessing import Tensor

Logits = npt.NDArray[np.float32]
Run = Callable[[Tensor], Tensor]
Kind = Literal["logits", "probabilities", "log_probabilities"]

# Probabilities are kept this far from 0, and those that are each for itself from 1, whose logarithms are infinite.
LEAST_PROBABILITY: Final = 1e-10
LEAST_COMPLEMENT: Final = 2.0**-24


class OutputSpec(BaseModel):
    """The output of a model.

    ``name`` is None where there is one output. ``kind`` says what its numbers are: ``logits``, ``probabilities`` that sum to 1,
    or their logarithms. With ``multi_label`` each label has a logit or probability for itself, and a sigmoid takes the place of
    the softmax. A model of two labels may have one number, which is that of the second label against the first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str | None = Field(default=None, min_length=1, max_length=500)
    kind: Kind = "logits"
    multi_label: bool = False


LOGITS: Final = OutputSpec()


class LogitsFunction:
    """Computes logits float32[N,K], whatever the output of the model is; ``run`` returns the output for a batch.

    With ``fixed_batch`` it is called for each image, which is repeated to so many.
    """

    def __init__(self, run: Run, output: OutputSpec = LOGITS, fixed_batch: int | None = None) -> None:
        self._run = run
        self._output = output
        self._fixed_batch = fixed_batch

    def __call__(self, batch: Tensor) -> Logits:
        """The logits float32[N,K] of a batch in the layout and type of the model.

        Raises:
            ValueError: the output is not one score for each label.
        """
        return to_logits(self.scores(batch), self._output)

    def scores(self, batch: Tensor) -> Logits:
        """The numbers of the output, float32[N,K], before they are made logits.

        Raises:
            ValueError: as a call.
        """
        if self._fixed_batch is None:
            return squeeze(self._run(batch), len(batch))
        repeated = (np.repeat(batch[index : index + 1], self._fixed_batch, axis=0) for index in range(len(batch)))
        return np.concatenate([squeeze(self._run(images), self._fixed_batch)[:1] for images in repeated])


def session_run(session: Any, output: OutputSpec = LOGITS) -> Run:
    """A function that runs an ONNX Runtime session for a batch and returns the output that ``output`` names."""
    source, target = session.get_inputs()[0].name, output.name or session.get_outputs()[0].name

    def run(batch: Tensor) -> Tensor:
        (scores,) = session.run([target], {source: batch})
        return np.asarray(scores)

    return run


def squeeze(scores: Tensor, size: int) -> Logits:
    """The scores float32[N,K] of ``size`` images, without further axes of 1.

    Raises:
        ValueError: they have another shape.
    """
    if scores.ndim == 1 and size == 1:
        scores = scores[None]
    if scores.ndim == 0 or len(scores) != size or sum(side != 1 for side in scores.shape[1:]) > 1:
        raise ValueError(f"returns the shape {list(scores.shape)} for {size} images; a classifier returns [N, labels]")
    if scores.ndim != 2:
        scores = scores.reshape(size, -1)
    return scores if scores.dtype == np.float32 else scores.astype(np.float32)


def to_logits(scores: Logits, spec: OutputSpec) -> Logits:
    """Logits float32[N,K] of scores float32[N,K], or of one column: 0 for the first label, the number for the second."""
    single = scores.shape[1] == 1
    if spec.kind == "probabilities":
        if spec.multi_label or single:
            kept = np.clip(scores.astype(np.float64), LEAST_PROBABILITY, 1 - LEAST_COMPLEMENT)
            scores = np.log(kept / (1 - kept)).astype(np.float32)
        else:
            scores = np.log(np.maximum(scores, np.float32(LEAST_PROBABILITY)))
    if single:
        return np.concatenate([np.zeros_like(scores), scores], axis=1)
    return scores


def probabilities(logits: Logits, spec: OutputSpec, temperature: float) -> npt.NDArray[np.float64]:
    """Calibrated probabilities float64[..., K] of logits: a softmax, or with ``multi_label`` a sigmoid for each label."""
    scaled = logits.astype(np.float64) / temperature
    if spec.multi_label:
        return np.asarray(1 / (1 + np.exp(-np.clip(scaled, -700, 700))))
    exponentials = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))
