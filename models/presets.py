"""Presets: how the pictures of well-known data sets and tools are usually preprocessed, as fields of a card."""

from typing import Any, Final

_MNIST: Final = {
    "geometry": {"subject": "ink", "polarity": "light_on_dark"},
    "normalisation": {"scale": 1, "mean": 0, "std": 1},
}

PRESETS: Final[dict[str, dict[str, Any]]] = {
    "imagenet": {
        "geometry": {"subject": "photo", "fit": "crop", "filter": "bilinear"},
        "normalisation": {"scale": 1, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
    },
    "mnist": _MNIST,
    "fashion": {
        "geometry": {"subject": "object", "polarity": "light_on_dark"},
        "normalisation": {"scale": 1, "mean": 0, "std": 1},
    },
    "cifar10": {
        "geometry": {"subject": "photo", "fit": "stretch", "filter": "bilinear"},
        "normalisation": {"scale": 1, "mean": [0.4914, 0.4822, 0.4465], "std": [0.247, 0.2435, 0.2616]},
    },
    "emnist": {**_MNIST, "transposed": True},
    "keras": {
        "layout": "NHWC",
        "geometry": {"subject": "photo", "fit": "stretch", "filter": "bilinear"},
        "normalisation": {"scale": 255, "mean": 0, "std": 1},
    },
    "teachable-machine": {
        "layout": "NHWC",
        "geometry": {"subject": "photo", "fit": "crop", "filter": "bilinear"},
        "normalisation": {"scale": 1, "mean": 0.5, "std": 0.5},
    },
}
