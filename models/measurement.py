"""What a model is worth on labelled pictures, as a card holds it."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.calibration import expected_calibration_error
from models.card import ClassMetrics, Metrics

Labels = npt.NDArray[np.int64]


def measured(
    probabilities: npt.NDArray[np.floating], truth: Labels, labels: Sequence[str], *, dataset: str, split: str
) -> Metrics:
    """Accuracy, calibration error and every class of probabilities ``[N, K]``, given the true classes ``int64[N]``.

    Classes without a picture are left out.
    """
    winners = probabilities.argmax(axis=1)
    return Metrics(
        dataset=dataset,
        split=split,
        n=len(truth),
        accuracy=round(float((winners == truth).mean()), 5),
        ece=round(expected_calibration_error(probabilities, truth), 5),
        per_class={labels[place]: _of_class(winners, truth, place) for place in np.unique(truth).tolist()},
    )


def _of_class(winners: Labels, truth: Labels, place: int) -> ClassMetrics:
    read_as_it = winners == place
    return ClassMetrics(
        n=int((truth == place).sum()),
        recall=round(float(read_as_it[truth == place].mean()), 5),
        precision=round(float((truth == place)[read_as_it].mean()), 5) if read_as_it.any() else 0.0,
    )
