"""References of models, and cards that have them."""

from typing import Any

from models.reference import Reference, build_reference

N = 1000


def reference(labels: list[str] | None = None, **changed: Any) -> Reference:
    """A reference of answers to 1,000 pictures, or to one for each of ``labels``: confidences and inks rise evenly from 0 to 1,
    and one in fifty is rejected."""
    labels = labels or [str(index % 10) for index in range(N)]
    values = [index / len(labels) for index in range(len(labels))]
    rejected = [index % 50 == 0 for index in range(len(labels))]
    found = build_reference(labels, values, rejected, values, dataset="drawn", split="test")
    return Reference.model_validate(found.model_dump() | changed)
