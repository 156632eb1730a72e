"""Shows how an image was segmented: its luminance, the ink of the characters, and their boxes with numbers."""

from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageFont

from preprocessing import Stage, luminance
from serving.inference.sequence_prediction import SequencePrediction

BOX_COLOUR: Final = (230, 97, 0)
# Numbers are so many pixels high where the picture is shown with at most SHOWN_SIDE pixels a side; larger ones are shrunk.
NUMBER_HEIGHT: Final = 14
SHOWN_SIDE: Final = 960


def segmentation_stages(image: Image.Image, prediction: SequencePrediction) -> list[Stage]:
    """The stages of a sequence: ``gray``, ``ink`` and ``boxes``, of the image that was segmented."""
    light, _ = luminance(image)
    count, lines = len(prediction.characters), len(prediction.image.segmentation.pieces)
    candidates = len(prediction.image.segmentation.candidates)
    found = f"{count} character{'s' * (count > 1)} in {lines} line{'s' * (lines > 1)}"
    return [
        Stage("gray", light, f"One channel, {light.width}x{light.height}, transparency on a plain background."),
        Stage("ink", _ink(light.size, prediction), "The ink of the characters, without specks and lines of the paper."),
        Stage("boxes", _boxes(light, prediction), f"{found}, of {candidates} candidates; numbered in reading order."),
    ]


def _ink(size: tuple[int, int], prediction: SequencePrediction) -> Image.Image:
    """The crops of all characters in their places."""
    sheet = Image.new("L", size)
    for character in prediction.characters:
        left, top, right, bottom = character.candidate.box
        crop = character.candidate.crop.resize((max(1, right - left), max(1, bottom - top)))
        place = left, top, left + crop.width, top + crop.height
        sheet.paste(ImageChops.lighter(sheet.crop(place), crop), place)
    return sheet


def _boxes(light: Image.Image, prediction: SequencePrediction) -> Image.Image:
    """The image with the box and the number of each character, from 1."""
    picture = light.convert("RGB")
    draw = ImageDraw.Draw(picture)
    enlarged = max(1.0, max(light.size) / SHOWN_SIDE)
    font = ImageFont.load_default(size=NUMBER_HEIGHT * enlarged)
    for number, character in enumerate(prediction.characters, 1):
        left, top, right, bottom = character.candidate.box
        draw.rectangle((left, top, right - 1, bottom - 1), outline=BOX_COLOUR, width=round(enlarged))
        height = NUMBER_HEIGHT * enlarged
        above = top - height - 2 * enlarged
        draw.text((left, above if above >= 0 else bottom), str(number), fill=BOX_COLOUR, font=font)
    return picture
