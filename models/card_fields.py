"""The fields and sections of a model card: names, labels and texts, calibration, rejection, metrics and provenance."""

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

# Control characters, surrogates, line separators, and characters that change the direction of the text around them.
CONTROL_CHARACTERS: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
NAME: Final = "[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
VERSION: Final = r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}"


def without_control_characters(text: str) -> str:
    """The text unchanged, for a field that is shown on terminals and pages.

    Raises:
        ValueError: it has a control character.
    """
    if found := CONTROL_CHARACTERS.search(text):
        raise ValueError(f"has the control character U+{ord(found[0]):04X}; leave it out")
    return text


Name = Annotated[str, StringConstraints(pattern=f"^{NAME}$")]
Version = Annotated[str, StringConstraints(pattern=f"^{VERSION}$")]
Tag = Annotated[str, StringConstraints(pattern=f"^{NAME}:{VERSION}$")]
Label = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(without_control_characters)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=120), AfterValidator(without_control_characters)]
Text = Annotated[str, StringConstraints(max_length=500), AfterValidator(without_control_characters)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Fraction = Annotated[float, Field(ge=0, le=1)]


class StrictModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Calibration(StrictModel):
    """Logits are divided by ``temperature`` before the softmax or the sigmoids (Guo et al., ICML 2017)."""

    temperature: float = Field(gt=0, le=100)


class Rejection(StrictModel):
    """An image is rejected as out of distribution when its score is below ``threshold``.

    ``max_softmax`` is the largest calibrated probability (Hendrycks & Gimpel, ICLR 2017); ``max_logit`` the largest
    logit; ``energy`` is logsumexp of the logits (Liu et al., NeurIPS 2020). Of a model that returns probabilities, the logits
    are their logarithms, so that the energy is always 0 and says nothing.
    """

    score: Literal["max_softmax", "max_logit", "energy"]
    threshold: float


class ClassMetrics(StrictModel):
    """The metrics of one class: number of images, recall and precision."""

    n: int = Field(gt=0)
    recall: Fraction
    precision: Fraction


class Metrics(StrictModel):
    """Metrics of a model on images that were not used to train or select it.

    ``ece`` is the expected calibration error over 15 bins (Naeini et al., AAAI 2015).
    """

    dataset: Text
    split: Text
    n: int = Field(gt=0)
    accuracy: Fraction
    ece: Fraction
    per_class: dict[Label, ClassMetrics]

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall of the classes."""
        return sum(one.recall for one in self.per_class.values()) / len(self.per_class)


class SequenceMetrics(StrictModel):
    """Metrics of a sequence on images that were not used to train or select its reader.

    ``length`` is the number of characters in each image, None where it differs. ``exact_match`` is the share of images whose
    whole text is right, ``character_error_rate`` the edits (Levenshtein, 1966) from the answers to the truth, over all
    characters of the truth; it may exceed 1.
    """

    dataset: Text
    split: Text
    length: int | None = Field(default=None, ge=1)
    n: int = Field(gt=0)
    exact_match: Fraction
    character_error_rate: float = Field(ge=0)


class Provenance(StrictModel):
    """Where the weights come from, so that they can be reproduced.

    For an imported model, ``recipe`` is ``imported``, ``seed`` is None, and ``revision`` is the name and hash of the file.
    """

    data: list[Text] = Field(max_length=100)
    recipe: Text
    seed: int | None = None
    revision: Text
