"""Answers to a stroke that is still being drawn. They are shown at once, and kept nowhere."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from ui.api.client import Client, ServiceError, ServiceUnavailable
from ui.api.schemas import AnnotatedImage, Classification, Explanation

# An answer that takes longer is of no use, and delays the one to the finished stroke.
TIMEOUT_SECONDS: Final = 0.5
# After a failure the service is left alone for this time.
PAUSE_SECONDS: Final = 3.0


@dataclass(slots=True)
class LiveAnswers:
    """The latest picture of an unfinished stroke with an answer for each model. `runs` counts how often the answer was
    shown; `whole_run` while the page shows it with everything else."""

    picture: bytes = b""
    answers: dict[str, Classification] = field(default_factory=dict)
    model_input: AnnotatedImage | None = None
    runs: int = 0
    whole_run: bool = False
    _not_before: float = 0.0

    def request(self, client: Client, picture: bytes, models: Sequence[tuple[str, str]], *, sequence: bool = False) -> bool:
        """Ask for the answers of models, given as name and device, to a picture; return whether all have answered. Those of
        `sequence` models come without what the first model sees."""
        if monotonic() < self._not_before:
            return False
        (model, device), *others = models
        try:
            first: Classification
            seen = None
            if sequence:
                first = client.classify(picture, model=model, device=device, timeout=TIMEOUT_SECONDS)
            else:
                explained = client.explain(picture, model=model, device=device, heatmap=False, timeout=TIMEOUT_SECONDS)
                first, seen = explained, input_stage(explained)
            answers = {model: first}
            for model, device in others:
                answers[model] = client.classify(picture, model=model, device=device, timeout=TIMEOUT_SECONDS)
        except ServiceError as error:
            self._pause(error.retryable)
            return False
        except ServiceUnavailable:
            self._pause(True)
            return False
        self.picture, self.answers, self.model_input = picture, answers, seen
        return True

    def find_input(self, client: Client, picture: bytes, model: str, device: str) -> AnnotatedImage | None:
        """Return what the model sees of a picture, or None if the service does not say."""
        if picture != self.picture or model not in self.answers:
            self.request(client, picture, [(model, device)])
        return self.model_input if picture == self.picture else None

    def _pause(self, failing: bool) -> None:
        if failing:
            self._not_before = monotonic() + PAUSE_SECONDS


def input_stage(explanation: Explanation) -> AnnotatedImage | None:
    """Return the last stage of preprocessing: what the model sees."""
    return next((stage for stage in explanation.stages if stage.name == "input"), None)
