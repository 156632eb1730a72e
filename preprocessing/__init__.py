"""Encoded bytes to a model's tensor. Knows no HTTP, no model file and no BentoML."""

from preprocessing.decode import (
    SIGNATURES,
    ImageError,
    ImageTooLarge,
    NoInk,
    UndecodableImage,
    UnsupportedImage,
    decode,
    load,
    open_image,
)
from preprocessing.limits import Limits
from preprocessing.pipeline import Stage, Tensor, preprocess, stages, tensor
from preprocessing.spec import Geometry, InputSpec, Normalisation

__all__ = [
    "SIGNATURES",
    "Geometry",
    "ImageError",
    "ImageTooLarge",
    "InputSpec",
    "Limits",
    "NoInk",
    "Normalisation",
    "Stage",
    "Tensor",
    "UndecodableImage",
    "UnsupportedImage",
    "decode",
    "load",
    "open_image",
    "preprocess",
    "stages",
    "tensor",
]
