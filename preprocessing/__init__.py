"""Decodes image files and preprocesses them to the input tensor of a model; independent of HTTP, model files and BentoML."""

from preprocessing.character_count import MAX_CHARACTERS
from preprocessing.containers import FORMATS, StrippedImage, strip_metadata
from preprocessing.decode import decode, inspect, load, open_image, open_stripped
from preprocessing.errors import ImageError, ImageTooLarge, NoInk, UndecodableImage, UnsupportedImage
from preprocessing.limits import ImageLimits
from preprocessing.pipeline import ModelInput, Stage, model_input, preprocess, stages
from preprocessing.spec import Geometry, InputSpec, Normalisation, PhotoGeometry
from preprocessing.tensors import Tensor, normalise, tensor

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
    "PhotoGeometry",
    "Stage",
    "StrippedImage",
    "Tensor",
    "UndecodableImage",
    "UnsupportedImage",
    "decode",
    "inspect",
    "load",
    "model_input",
    "normalise",
    "open_image",
    "open_stripped",
    "preprocess",
    "stages",
    "strip_metadata",
    "tensor",
]
