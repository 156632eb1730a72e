"""How hands differ: the proportions, slant, roundness, care and tremor of one writer, applied to all strokes of a character."""

from dataclasses import dataclass

import numpy as np

from training.rendering.strokes.curves import Path


@dataclass(frozen=True, slots=True)
class Handwriting:
    """One writer's hand. Lengths are shares of the height of a character.

    ``width`` scales it across; ``heaviness`` is the exponent of the height, which enlarges the upper half (below 1) or the
    lower one; ``roundness`` is the share of a stroke over which its corners are rounded; ``reach`` extends the ends of strokes
    (or shortens them, below 0); ``displacement`` is how far off later strokes begin.
    """

    width: float
    slant: float
    rotation: float
    warp: float
    tremor: float
    heaviness: float
    roundness: float
    reach: float
    displacement: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "Handwriting":
        """Sample a random handwriting."""
        shaky, quick, careless = rng.random(3) < (0.35, 0.4, 0.35)
        return cls(
            width=float(np.exp(rng.normal(0, 0.24))),
            slant=float(rng.normal(0.08, 0.19)),
            rotation=float(np.deg2rad(rng.normal(0, 7.5))),
            warp=float(abs(rng.normal(0, 0.034))),
            tremor=float(rng.uniform(0.003, 0.015)) if shaky else 0.0,
            heaviness=float(np.exp(rng.normal(0, 0.16))),
            roundness=float(rng.uniform(0.02, 0.12)) if quick else 0.0,
            reach=float(rng.normal(0, 0.05)) if careless else 0.0,
            displacement=float(abs(rng.normal(0, 0.035))) if careless else 0.0,
        )

    def write(self, paths: list[Path], rng: np.random.Generator) -> list[Path]:
        """Transform strokes into this handwriting."""
        shape = np.array([[self.width, 0.0], [-self.slant, 1.0]])
        rotate = np.array([[np.cos(self.rotation), np.sin(self.rotation)], [-np.sin(self.rotation), np.cos(self.rotation)]])
        waves = rng.normal(0, self.warp, (2, 2, 2))
        phases = rng.uniform(0, 2 * np.pi, (2, 2))
        written = []
        for number, path in enumerate(paths):
            own = _extended(_rounded(path, self.roundness), self.reach)
            if number and self.displacement:
                own = own + rng.normal(0, self.displacement, 2)
            # The whole plane is distorted, so that strokes that meet still meet.
            bent = own.copy()
            bent[:, 1] = np.sign(own[:, 1]) * np.abs(own[:, 1]) ** self.heaviness
            for axis in (0, 1):
                for order in (0, 1):
                    bent += waves[axis, order] * np.sin((order + 1) * np.pi * own[:, axis : axis + 1] + phases[axis, order])
            written.append((bent @ shape @ rotate) + _tremor(len(own), self.tremor, rng))
        return written


def _rounded(path: Path, share: float) -> Path:
    """The path averaged over ``share`` of its points; its ends stay where they are."""
    reach = round(share * len(path) / 2)
    if reach == 0:
        return path
    padded = np.pad(path, ((reach, reach), (0, 0)), mode="reflect", reflect_type="odd")
    sums = np.cumsum(np.concatenate((np.zeros((1, 2)), padded)), axis=0)
    return np.asarray((sums[2 * reach + 1 :] - sums[: -2 * reach - 1]) / (2 * reach + 1))


def _extended(path: Path, reach: float) -> Path:
    """The path with its last end moved on by ``reach``, or back."""
    steps = np.hypot(*np.diff(path, axis=0).T)
    length = float(steps.sum())
    if reach == 0 or length == 0:
        return path
    if reach < 0:
        kept = np.concatenate(([0], np.cumsum(steps))) <= max(length + reach, 0.7 * length)
        return path[: max(2, int(kept.sum()))]
    before = path[-min(4, len(path))]
    direction = path[-1] - before
    norm = float(np.hypot(*direction))
    return np.concatenate((path, [path[-1] + direction / norm * reach])) if norm else path


def _tremor(length: int, tremor: float, rng: np.random.Generator) -> Path:
    if tremor == 0 or length < 3:
        return np.zeros((length, 2))
    noise = rng.normal(0, 1, (length + 2, 2))
    return np.asarray(tremor * (noise[:-2] + noise[1:-1] + noise[2:]) / np.sqrt(3))
