"""Errors for images that cannot be used; every message says what is wrong and what to do."""


class ImageError(Exception):
    """An image that cannot be used."""


class UnsupportedImage(ImageError):
    """The bytes are in none of the supported formats."""


class UndecodableImage(ImageError):
    """The bytes are an image that is truncated or corrupt."""


class ImageTooLarge(ImageError):
    """The image has more pixels than the limit, or takes as long to decode as if it had."""


class NoInk(ImageError):
    """Nothing is drawn on the image, or nothing stands out from its background."""


class TooManyCharacters(ImageError):
    """The image shows more characters than are read."""
