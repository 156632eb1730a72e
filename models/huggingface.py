"""Reads what Hugging Face publishes beside a model: config.json with the labels, and preprocessor_config.json."""

import json
from pathlib import Path
from typing import Any, Final

from models.card import CardError
from models.card_options import Fields, as_options, get
from models.labels import parse_label_text

MAX_BYTES: Final = 4_000_000
# Numbers of the filters of Pillow, which ``resample`` has.
FILTERS: Final = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "area", 5: "bilinear"}


def read_configuration(model: Path) -> tuple[Fields, list[str]]:
    """The fields of a card that the files beside a model set, and a remark for each file that does.

    In repositories of Hugging Face they lie beside the model, or above its folder onnx/.

    Raises:
        CardError: a file cannot be read.
    """
    folders = [model.parent, *([model.parent.parent] if model.parent.name == "onnx" else [])]
    fields: Fields = {}
    remarks = []
    config, path = _read(folders, "config.json")
    if labels := parse_label_text(json.dumps(get(config, "id2label") or {})):
        fields["labels"] = labels
        remarks.append(f"{len(labels)} labels are those of {path}; --labels overrides them")
    config, path = _read(folders, "preprocessor_config.json")
    if source := _input(config):
        fields["input"] = source
        size = "x".join(str(source[side]) for side in ("height", "width") if side in source)
        remarks.append(f"{path} is {as_options(fields)}{f' --size {size}' if size else ''}; options override it")
    return fields, remarks


def _read(folders: list[Path], name: str) -> tuple[Any, Path]:
    path = next((folder / name for folder in folders if (folder / name).is_file()), folders[0] / name)
    if not path.is_file() or path.stat().st_size > MAX_BYTES:
        return {}, path
    try:
        return json.loads(path.read_text(encoding="utf-8")), path
    except (OSError, ValueError, RecursionError) as error:
        raise CardError(f"{path}: cannot be read: {error}; leave it out, or move the model to another folder") from error


def _input(config: Any) -> Fields:
    """The fields of an ``InputSpec`` that an image processor sets; empty where it is none."""
    if get(config, "image_mean") is None and get(config, "size") is None:
        return {}
    scale = 255.0
    if config.get("do_rescale", True):
        scale *= config.get("rescale_factor", 1 / 255)
    normalise = config.get("do_normalize", True)
    mean, std = (config.get(name, default) if normalise else default for name, default in (("image_mean", 0), ("image_std", 1)))
    return {
        **_sides(config.get("crop_size") if config.get("do_center_crop") else config.get("size")),
        "geometry": _geometry(config),
        "normalisation": {"scale": round(scale, 6), "mean": mean, "std": std},
    }


def _geometry(config: Any) -> Fields:
    geometry: Fields = {"subject": "photo", "filter": FILTERS.get(config.get("resample", 2), "bilinear")}
    if not config.get("do_center_crop"):
        return {**geometry, "fit": "stretch"}
    size = config.get("size")
    shorter = size if isinstance(size, int) else get(size, "shortest_edge") or get(size, "height")
    return {**geometry, "fit": "crop", **({"shorter_side": shorter} if config.get("do_resize", True) and shorter else {})}


def _sides(size: Any) -> Fields:
    """Height and width of ``224`` or of a mapping."""
    if isinstance(size, int):
        return {"height": size, "width": size}
    return {side: size[side] for side in ("height", "width") if get(size, side)}
