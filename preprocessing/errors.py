"""Why a picture cannot be read; every text says what was wrong and what to do."""


class ImageError(Exception):
    """A picture that cannot be read."""


class UnsupportedImage(ImageError):
    """The bytes are of none of the formats that are read."""


class UndecodableImage(ImageError):
    """The bytes begin like a picture and are truncated or corrupt."""


class ImageTooLarge(ImageError):
    """The picture has more pixels than the limit, or takes as much work as if it had."""


class NoInk(ImageError):
    """Nothing is drawn on the picture."""
