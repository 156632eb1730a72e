"""Predictions as JSON."""

import numpy as np
from PIL import Image

from preprocessing import Stage
from serving.http.responses import by_label, likeliest, stage_picture

LABELS = ["0", "1", "2"]


def test_labels_are_ranked_and_listed_by_probability() -> None:
    probabilities = np.array([0.1, 0.7, 0.2])
    assert [(score.label, score.confidence) for score in likeliest(probabilities, LABELS, 2)] == [("1", 0.7), ("2", 0.2)]
    assert len(likeliest(probabilities, LABELS, 99)) == 3
    assert by_label(probabilities, LABELS) == {"0": 0.1, "1": 0.7, "2": 0.2}


def test_large_stages_are_shrunk_and_their_statistics_are_not() -> None:
    image = Image.new("L", (2000, 1000), 10)
    image.paste(250, (0, 0, 1000, 1000))
    picture = stage_picture(Stage("gray", image, "A note."))
    assert (picture.min, picture.mean, picture.max) == (10, 130, 250)
    assert len(picture.png) < 4000


def test_statistics_of_a_stage_leave_the_alpha_out() -> None:
    picture = stage_picture(Stage("picture", Image.new("RGBA", (4, 4), (10, 20, 30, 255)), "A note."))
    assert (picture.min, picture.mean, picture.max) == (10, 20, 30)
