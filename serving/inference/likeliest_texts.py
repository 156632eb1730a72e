"""The likeliest texts of characters that are read independently of each other."""

import heapq
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

# Below this, a probability counts as this one, so that its logarithm is finite.
SMALLEST_PROBABILITY: Final = 1e-300


class _Choice(NamedTuple):
    """A combination of labels: how much it costs beyond the likeliest, and the last character that has another label.

    ``place`` is that character's among those sorted by the cost of their second label, ``rank`` the rank of its label, and
    ``before`` the choice of the characters before it.
    """

    cost: float
    place: int
    rank: int
    before: "_Choice | None"


def likeliest_labels(probabilities: Sequence[npt.NDArray[np.float64]], k: int) -> list[list[int]]:
    """The ``k`` likeliest combinations of labels of N characters, the likeliest first, each as N indices; fewer if there are
    fewer.

    ``probabilities`` float64[K] are those of each character's labels; a combination has their product. The search is exact and
    takes O(k log k) steps after sorting: characters are ordered by the cost of their second label, and each combination has at
    most three successors, none of which is likelier (enumeration of the k best sums of one element of each of several lists).
    """
    if not probabilities:
        return [[]]
    costs = -np.log(np.maximum(np.stack(probabilities), SMALLEST_PROBABILITY))
    ranked = np.argsort(costs, axis=1, kind="stable")
    sorted_costs = np.take_along_axis(costs, ranked, axis=1)
    extra = sorted_costs - sorted_costs[:, :1]
    order = np.argsort(extra[:, 1], kind="stable").tolist()
    steps = extra[order].tolist()
    first = ranked[:, 0].tolist()
    found = [first]
    serial = 0  # breaks ties, so that choices need not be compared
    waiting = [(steps[0][1], serial, _Choice(steps[0][1], 0, 1, None))]
    while waiting and len(found) < k:
        _, _, choice = heapq.heappop(waiting)
        labels = first.copy()
        at: _Choice | None = choice
        while at is not None:
            labels[order[at.place]] = int(ranked[order[at.place], at.rank])
            at = at.before
        found.append(labels)
        for following in _successors(choice, steps):
            serial += 1
            heapq.heappush(waiting, (following.cost, serial, following))
    return found


def _successors(choice: _Choice, steps: list[list[float]]) -> list[_Choice]:
    """The combinations that follow one: the next label of its last character; besides, or in the place of a second label, the
    second label of the next character."""
    cost, place, rank, before = choice
    own = steps[place]
    found = []
    if rank + 1 < len(own):
        found.append(_Choice(cost + own[rank + 1] - own[rank], place, rank + 1, before))
    if place + 1 < len(steps):
        second = steps[place + 1][1]
        found.append(_Choice(cost + second, place + 1, 1, choice))
        if rank == 1:
            found.append(_Choice(cost - own[1] + second, place + 1, 1, before))
    return found
