"""Decodes image files and preprocesses them to the input tensor of a model; independent of HTTP, model files and BentoML."""

from preprocessing.character_count import MAX_CHARACTERS
from preprocessing.containers import FORMATS, StrippedImage, strip_metadata
from preprocessing.decode import decode, decode_stripped, inspect, load
from preprocessing.errors import ImageError, ImageTooLarge, NoInk, TooManyCharacters, UndecodableImage, UnsupportedImage
from preprocessing.ink import luminance
from preprocessing.limits import ImageLimits
from preprocessing.pipeline import ModelInput, Stage, crop_stages, frame_image, frame_ink, model_input, preprocess, stages
from preprocessing.png_decoder import is_plain
from preprocessing.segmentation import CharacterCandidate, Segmentation, segment
from preprocessing.spec import (
    CHANNELS,
    MAX_SIDE,
    MIN_SIDE,
    Colour,
    Filter,
    Geometry,
    InputSpec,
    Layout,
    Normalisation,
    PhotoGeometry,
    read_older_form,
)
from preprocessing.tensors import Tensor, normalise, tensor

__all__ = [
    "CHANNELS",
    "FORMATS",
    "MAX_CHARACTERS",
    "MAX_SIDE",
    "MIN_SIDE",
    "CharacterCandidate",
    "Colour",
    "Filter",
    "Geometry",
    "ImageError",
    "ImageLimits",
    "ImageTooLarge",
    "InputSpec",
    "Layout",
    "ModelInput",
    "NoInk",
    "Normalisation",
    "PhotoGeometry",
    "Segmentation",
    "Stage",
    "StrippedImage",
    "Tensor",
    "TooManyCharacters",
    "UndecodableImage",
    "UnsupportedImage",
    "crop_stages",
    "decode",
    "decode_stripped",
    "frame_image",
    "frame_ink",
    "inspect",
    "is_plain",
    "load",
    "luminance",
    "model_input",
    "normalise",
    "preprocess",
    "read_older_form",
    "segment",
    "stages",
    "strip_metadata",
    "tensor",
]
