"""Encoded bytes to a model's tensor. Knows no HTTP, no model file and no BentoML."""

from preprocessing.characters import MOST_CHARACTERS
from preprocessing.containers import FORMATS, Stripped, strip_metadata
from preprocessing.decode import decode, inspect, load, open_image, opened
from preprocessing.errors import ImageError, ImageTooLarge, NoInk, UndecodableImage, UnsupportedImage
from preprocessing.limits import Limits
from preprocessing.pipeline import ModelInput, Stage, Tensor, model_input, preprocess, stages, tensor
from preprocessing.spec import Geometry, InputSpec, Normalisation

__all__ = [
    "FORMATS",
    "MOST_CHARACTERS",
    "Geometry",
    "ImageError",
    "ImageTooLarge",
    "InputSpec",
    "Limits",
    "ModelInput",
    "NoInk",
    "Normalisation",
    "Stage",
    "Stripped",
    "Tensor",
    "UndecodableImage",
    "UnsupportedImage",
    "decode",
    "inspect",
    "load",
    "model_input",
    "open_image",
    "opened",
    "preprocess",
    "stages",
    "strip_metadata",
    "tensor",
]
