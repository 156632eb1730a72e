"""Decodes image files and preprocesses them to the input tensor of a model; independent of HTTP, model files and BentoML."""

from preprocessing.character_count import MAX_CHARACTERS
from preprocessing.containers import FORMATS, StrippedImage, strip_metadata
from preprocessing.decode import decode, inspect, load, open_image, open_stripped
from preprocessing.errors import ImageError, ImageTooLarge, NoInk, UndecodableImage, UnsupportedImage
from preprocessing.limits import ImageLimits
from preprocessing.pipeline import ModelInput, Stage, Tensor, model_input, preprocess, stages, tensor
from preprocessing.spec import Geometry, InputSpec, Normalisation

__all__ = [
    "FORMATS",
    "MAX_CHARACTERS",
    "Geometry",
    "ImageError",
    "ImageLimits",
    "ImageTooLarge",
    "InputSpec",
    "ModelInput",
    "NoInk",
    "Normalisation",
    "Stage",
    "StrippedImage",
    "Tensor",
    "UndecodableImage",
    "UnsupportedImage",
    "decode",
    "inspect",
    "load",
    "model_input",
    "open_image",
    "open_stripped",
    "preprocess",
    "stages",
    "strip_metadata",
    "tensor",
]
