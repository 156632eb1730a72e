"""Chooses the characters of a segmented picture among its candidates, by what a classifier says of each."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from preprocessing.segmentation import CharacterCandidate, Segmentation

Probabilities = npt.NDArray[np.float64]
Kinds = npt.NDArray[np.int64]

# For each piece beyond the first, a candidate's log-probability counts so many times more; less than LEAST counts as LEAST.
PER_PIECE: Final = 1.0
LEAST: Final = -5.0
# What each character weighs besides where letters are read, whose parts are often letters: an M is an I, a V and an I.
LETTERS_PRIOR: Final = -0.8
# How many lines have characters of one kind only, how many of both, and the least probability of a kind, since a classifier may
# be certain and wrong.
ONE_KIND: Final = 0.95
LEAST_OF_KIND: Final = 0.01


def kinds_of(labels: Sequence[str]) -> Kinds:
    """The kind of each label, ``int64[K]``: 0 for digits, 1 for everything else."""
    return np.array([0 if label.isdigit() else 1 for label in labels], dtype=np.int64)


def best_reading(segmentation: Segmentation, log_probabilities: Probabilities, kinds: Kinds | None = None) -> list[int]:
    """The indices of the candidates that read the picture best, in reading order; each piece of a line is in one of them.

    ``log_probabilities`` float64[N,K] are those of the labels that are characters, for each candidate. The reading is the path
    through the lattice of the candidates whose weights sum to the most. A candidate weighs its prior and the logarithm of its
    likeliest label for each piece that it covers, so that readings of few characters have no advantage. With the ``kinds``
    int64[K] of the labels, the likeliest label of each kind counts: an O or a 0 is as clear as an X; and where there are
    letters, readings of few characters are preferred.
    """
    each = LETTERS_PRIOR if kinds is not None and kinds.any() else 0.0
    if kinds is None or not kinds.any() or kinds.all():
        best = log_probabilities.max(axis=1)
    else:
        best = np.logaddexp(log_probabilities[:, kinds == 0].max(axis=1), log_probabilities[:, kinds == 1].max(axis=1))
    weights = np.maximum(best, LEAST).tolist()
    return [index for line in range(len(segmentation.pieces)) for index in _best_path(segmentation, line, weights, each)]


def in_context(probabilities: Probabilities, lines: Sequence[int], kinds: Kinds) -> Probabilities:
    """The probabilities float64[N,K] of the characters of a reading, given the other characters of their lines.

    The characters of a line are all digits or all letters (with probability ``ONE_KIND``), or each is either: a mixture, whose
    posterior follows from the probability of either kind for each character. ``lines`` has the line of each character. One
    character alone keeps its probabilities.
    """
    result: Probabilities = probabilities.copy()
    if not kinds.any() or kinds.all():
        return result
    masks = np.stack([kinds == 0, kinds == 1])
    for line in set(lines):
        members = np.flatnonzero(np.asarray(lines) == line)
        if len(members) < 2:
            continue
        rows = probabilities[members]
        of_kind = np.maximum(rows @ masks.T.astype(np.float64), LEAST_OF_KIND)  # float64[n,2]
        alike = np.log(ONE_KIND / 2) + np.log(of_kind).sum(axis=0)
        mixed = np.log(1 - ONE_KIND) + np.log(of_kind.sum(axis=1) / 2).sum()
        weights = np.exp(np.append(alike, mixed) - max(alike.max(), mixed))
        weights /= weights.sum()
        scale = rows.sum(axis=1, keepdims=True)
        result[members] = weights[2] * rows
        for kind, mask in enumerate(masks):
            inside = np.where(mask, rows, 0)
            total = inside.sum(axis=1, keepdims=True)
            conditional = np.divide(inside, total, out=np.tile(mask / mask.sum(), (len(rows), 1)), where=total > 0)
            result[members] += weights[kind] * scale * conditional
    return result


def _best_path(segmentation: Segmentation, line: int, best: Sequence[float], each: float) -> list[int]:
    """The path through one line: Viterbi's algorithm over the cuts between pieces; every candidate weighs ``each`` besides."""
    pieces = segmentation.pieces[line]
    starting: dict[int, list[tuple[int, CharacterCandidate]]] = {}
    for index, candidate in enumerate(segmentation.candidates):
        if candidate.line == line:
            starting.setdefault(candidate.first, []).append((index, candidate))
    weights = [0.0] + [-np.inf] * pieces
    arrived: list[tuple[int, int]] = [(-1, -1)] * (pieces + 1)  # the candidate before each cut, and where it begins
    for cut in range(pieces):
        for index, candidate in starting.get(cut, []):
            count = 1 + PER_PIECE * (candidate.last - candidate.first - 1)
            weight = weights[cut] + candidate.prior + each + count * best[index]
            if weight > weights[candidate.last]:
                weights[candidate.last], arrived[candidate.last] = weight, (index, cut)
    path, cut = [], pieces
    while cut:
        index, cut = arrived[cut]
        path.append(index)
    return path[::-1]
