"""Encoded bytes to a model's tensor. Knows no HTTP, no model file and no BentoML."""

from preprocessing.characters import MOST_CHARACTERS
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
from preprocessing.pipeline import ModelInput, Stage, Tensor, model_input, preprocess, stages, tensor
from preprocessing.spec import Geometry, InputSpec, Normalisation

__all__ = [
    "MOST_CHARACTERS",
    "SIGNATURES",
    "Geometry",
    "ImageError",
    "ImageTooLarge",
    "InputSpec",
    "Limits",
    "ModelInput",
    "NoInk",
    "Normalisation",
    "Stage",
    "Tensor",
    "UndecodableImage",
    "UnsupportedImage",
    "decode",
    "load",
    "model_input",
    "open_image",
    "preprocess",
    "stages",
    "tensor",
]
