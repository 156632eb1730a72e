"""Builds the card of an imported model from the fields its owner gives and from defaults."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from models import yaml_reader
from models.card import CardError, ModelCard, file_sha256, format_errors, parse_card
from models.card_options import PHOTO_FIELDS, Fields, get, merge
from models.golden import golden_output
from models.sandbox import Hints, InputHints, ModelReport
from models.terminal import printable
from models.yaml_reader import YamlError
from preprocessing import Normalisation, read_older_form

UNKNOWN: Final = "not told"
MAX_REMARK: Final = 500


def read_partial_card(path: Path) -> Fields:
    """Read a card that may lack fields.

    Raises:
        CardError: it cannot be read, or is not the card of a classifier.
    """
    try:
        content = yaml_reader.load(yaml_reader.read_text(path))
    except (OSError, YamlError) as error:
        raise CardError(f"{path}: cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise CardError(f"{path}: is not a card; a card is a mapping of fields (name: ...)")
    if content.get("task", "classify") != "classify":
        raise CardError(f"{path}: is the card of a {str(content['task'])[:100]}; an ONNX file needs the card of a classifier")
    if isinstance(content.get("input"), dict):
        content["input"] = read_older_form(content["input"])
    return content


def hints_of(given: Fields, source: Path) -> Hints:
    """What the given fields of a card say about the model before it is inspected.

    Raises:
        CardError: a field is out of bounds.
    """
    spec, output, labels = given.get("input", {}), given.get("output", {}), given.get("labels")
    known = {key: spec[key] for key in InputHints.model_fields if key in spec} if isinstance(spec, Mapping) else spec
    try:
        if isinstance(known, Mapping) and "normalisation" in known:
            found = Normalisation.model_validate(known["normalisation"])
            known = {**known, "normalisation": found.model_dump(mode="json", exclude_unset=True)}
        fields = {"input": known, "output": output, "labels": len(labels) if isinstance(labels, list) else None}
        return Hints.model_validate({**fields, "fixed_batch": given.get("fixed_batch")})
    except ValidationError as error:
        inside = "input.normalisation" if error.title == "Normalisation" else ""
        raise CardError(f"{source}: {format_errors(error, inside)}") from error


def build_card(given: Fields, report: ModelReport, source: Path, model: Path, card_path: Path) -> ModelCard:
    """The complete card of ``model``, which was made from the file ``source``; errors name ``card_path``.

    Raises:
        CardError: a field is missing, unknown or out of bounds, or the card describes another file.
    """
    digests = file_sha256(source), file_sha256(model)
    if given.get("sha256", digests[0]) not in digests:
        raise CardError(f"{card_path}: sha256 is not that of {source}; leave it out to have it filled in")
    found = {"input": report.input, "output": report.output.model_dump(), "fixed_batch": report.fixed_batch}
    if isinstance(given.get("input", {}), dict):
        given = merge(given, found)
    fields = merge(merge(_defaults(given, source, digests[0]), given), {"sha256": digests[1]})
    fields["remarks"] = [printable(line)[:MAX_REMARK] for line in [*_assumptions(given), *report.assumptions]]
    if report.fixed_batch is not None:
        fields["remarks"].append(fixed_batch_remark(report))
    card = parse_card(fields, card_path)
    assert isinstance(card, ModelCard)
    if card.known_answer is None and len(card.labels) == report.columns:
        card = card.model_copy(update={"known_answer": golden_output(card.labels, report.golden_output)})
    return card


def fixed_batch_remark(report: ModelReport) -> str:
    """What it costs that a model cannot take several images in one call."""
    milliseconds = next(iter(report.latency_ms.values()), 0.0)
    return (
        f"the images of a batch cannot be computed together (fixed_batch {report.fixed_batch}), so the model is called once "
        f"for each image: {milliseconds:.3g} ms an image on one thread, and load gains nothing from batches"
    )


def _defaults(given: Fields, source: Path, digest: str) -> Fields:
    """The default of every optional field."""
    return {
        "version": "1.0.0",
        "title": given.get("name"),
        "task": "classify",
        "input": {"geometry": _default_geometry(given)},
        "calibration": {"temperature": 1.0},
        "rejection": {"score": "max_softmax", "threshold": 0.0},
        "metrics": [],
        "provenance": {"data": [UNKNOWN], "recipe": "imported", "revision": f"{source.name}, sha256 {digest}"},
        "licence": UNKNOWN,
    }


def _default_geometry(given: Fields) -> Fields:
    """Ink is placed as in MNIST, an object fills the frame, and a photo is stretched to it."""
    subject, grey = _subject(given), get(given, "input", "colour") == "grey"
    if subject == "photo":
        return {"subject": "photo", "fit": "stretch", "filter": "area" if grey else "bilinear", "polarity": "as_is"}
    sides = [get(given, "input", name) for name in ("height", "width")]
    side = min(value for value in sides if isinstance(value, int)) if any(sides) else 0
    return {
        "subject": "ink",
        "fit_box": side if subject == "object" else round(side * 20 / 28),
        "centring": "box" if subject == "object" else "mass",
        "polarity": "light_on_dark",
    }


def _subject(given: Fields) -> Any:
    geometry = get(given, "input", "geometry") or {}
    if (subject := get(geometry, "subject")) is not None:
        return subject
    is_photo = any(get(geometry, name) is not None for name in PHOTO_FIELDS)
    return "photo" if is_photo or get(given, "input", "colour") != "grey" else "ink"


def _assumptions(given: Fields) -> list[str]:
    """What is assumed about the pictures, as far as neither an option nor a card nor a preset says it."""
    geometry, subject, lines = get(given, "input", "geometry") or {}, _subject(given), []
    if get(geometry, "subject") is None:
        if subject == "photo":
            lines.append(f"whole pictures (--subject photo --fit {get(geometry, 'fit') or 'stretch'})")
        else:
            lines.append("drawings, which are cut out and centred (--subject ink)")
    if subject != "photo" and get(geometry, "polarity") is None:
        lines.append("light strokes on a dark ground (--polarity light_on_dark)")
    if get(given, "input", "colour") == "RGB" and subject == "photo":
        lines.append("channels in the order red, green, blue (--colour RGB)")
    return lines
