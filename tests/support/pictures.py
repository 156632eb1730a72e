"""Pictures the tests of every room draw: a digit as strokes on a canvas, encoded."""

from PIL import Image, ImageDraw

from loadtests.images import encode

Point = tuple[float, float]
Colour = tuple[int, int, int, int]

encoded = encode

BLACK: Colour = (0, 0, 0, 255)
WHITE: Colour = (255, 255, 255, 255)
CLEAR: Colour = (0, 0, 0, 0)
CLEAR_WHITE: Colour = (255, 255, 255, 0)

# Strokes on a canvas of 280x280, as a person would draw them.
STROKES: dict[str, list[list[Point]]] = {
    "1": [[(140, 50), (140, 230)]],
    "4": [[(110, 60), (80, 150), (200, 150)], [(170, 55), (165, 235)]],
    "7": [[(80, 60), (200, 60), (130, 220)]],
}


def canvas(
    strokes: list[list[Point]],
    *,
    ink: Colour = BLACK,
    paper: Colour = CLEAR,
    side: int = 280,
    width: int = 16,
    offset: Point = (0, 0),
) -> Image.Image:
    """An RGBA picture of polylines with round ends and corners."""
    image = Image.new("RGBA", (side, side), paper)
    draw = ImageDraw.Draw(image)
    for stroke in strokes:
        points = [(x + offset[0], y + offset[1]) for x, y in stroke]
        draw.line(points, fill=ink, width=width, joint="curve")
        for x, y in points:
            draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=ink)
    return image


def digit(name: str, *, ink: Colour = BLACK, paper: Colour = CLEAR, offset: Point = (0, 0)) -> Image.Image:
    """One of ``STROKES`` on a canvas."""
    return canvas(STROKES[name], ink=ink, paper=paper, offset=offset)


def several(names: str, *, ink: Colour = BLACK, paper: Colour = CLEAR, gap: float = 40, width: int = 16) -> Image.Image:
    """Digits of ``STROKES`` side by side, ``gap`` pixels of blank between them, on a canvas of 700x700."""
    line: list[list[Point]] = []
    left = 20.0
    for name in names:
        xs = [x for stroke in STROKES[name] for x, _ in stroke]
        line += [[(x - min(xs) + left, y) for x, y in stroke] for stroke in STROKES[name]]
        left += max(xs) - min(xs) + width + gap
    return canvas(line, ink=ink, paper=paper, side=700, width=width)
