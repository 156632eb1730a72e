"""Sample pictures of the project's own models, from `ui/assets/samples.json`: strokes, or shapes filled with a grey."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from ui.api.schemas import Model
from ui.images.polyline import SQUARE_SHEET, Polyline, Size
from ui.images.shapes import Shape
from ui.images.written_lines import write_lines
from ui.state.drawing import FINE_PEN_WIDTH, WIDE_SHEET, Pen

FILE: Final = Path(__file__).parents[1] / "assets" / "samples.json"


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture that the model reads as `label`: strokes for a sheet of this size, or shapes for a picture."""

    label: str
    strokes: tuple[Polyline, ...] = ()
    shapes: tuple[Shape, ...] = ()
    size: Size = SQUARE_SHEET

    def is_known(self, labels: Collection[str]) -> bool:
        """Whether a model with these labels may answer it; of several characters, each has to be a label."""
        parts = [self.label] if self.size == SQUARE_SHEET else "".join(self.label.split("\n"))
        return all(part in labels for part in parts)


def samples_for(model: Model) -> Sequence[Sample]:
    """Return the samples of a model, none for a model of somebody else, whose labels may be others."""
    samples = load_samples().get(model.name, [])
    drawn = model.card.subject == "ink"
    return [sample for sample in samples if sample.is_known(model.card.labels) and bool(sample.strokes) == drawn]


@cache
def load_samples() -> dict[str, list[Sample]]:
    """Return the samples of all models by the model's name."""
    content = json.loads(FILE.read_text(encoding="utf-8"))
    drawings = {name: tuple(map(_polyline, strokes)) for name, strokes in content["drawings"].items()}
    return {model: [_sample(entry, drawings) for entry in entries] for model, entries in content["models"].items()}


def _sample(entry: dict[str, Any], drawings: Mapping[str, tuple[Polyline, ...]]) -> Sample:
    if "lines" in entry:
        lines = [[drawings[character] for character in line] for line in entry["lines"]]
        return Sample(entry["label"], write_lines(lines, WIDE_SHEET, FINE_PEN_WIDTH), size=WIDE_SHEET)
    return Sample(entry["label"], drawings.get(entry.get("drawing", ""), ()), tuple(map(_shape, entry.get("shapes", ()))))


def _polyline(points: Sequence[Sequence[int]]) -> Polyline:
    pen = Pen()
    return Polyline(tuple((x, y) for x, y in points), pen.width, pen.ink)


def _shape(shape: dict[str, Any]) -> Shape:
    return Shape(tuple((x, y) for x, y in shape["points"]), shape["grey"])
