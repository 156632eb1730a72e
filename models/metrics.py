"""Computes the metrics on a model card from probabilities and true labels."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.calibration import expected_calibration_error
from models.card_fields import ClassMetrics, Metrics

Labels = npt.NDArray[np.int64]


def compute_metrics(
    probabilities: npt.NDArray[np.floating], truth: Labels, labels: Sequence[str], *, dataset: str, split: str
) -> Metrics:
    """Accuracy, calibration error and metrics per class of probabilities ``[N, K]``, given the true classes ``int64[N]``.

    Classes without an image are left out.
    """
    predicted = probabilities.argmax(axis=1)
    return Metrics(
        dataset=dataset,
        split=split,
        n=len(truth),
        accuracy=round(float((predicted == truth).mean()), 5),
        ece=round(expected_calibration_error(probabilities, truth), 5),
        per_class={labels[index]: _class_metrics(predicted, truth, index) for index in np.unique(truth).tolist()},
    )


def _class_metrics(predicted: Labels, truth: Labels, index: int) -> ClassMetrics:
    positive, actual = predicted == index, truth == index
    return ClassMetrics(
        n=int(actual.sum()),
        recall=round(float(positive[actual].mean()), 5),
        precision=round(float(actual[positive].mean()), 5) if positive.any() else 0.0,
    )
