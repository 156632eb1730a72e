"""The recipes by the name of their model, and the evaluation data of every model."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from training.data.image_sets import ImageSet
from training.recipe import Recipe
from training.recipes.category import Category
from training.recipes.characters import Characters
from training.recipes.digits import Digits
from training.recipes.fashion import Fashion
from training.recipes.letters import Letters


class EvaluationData(Protocol):
    """The labels and the test sets of a model, as ``Recipe`` has them."""

    @property
    def labels(self) -> list[str]:
        """The classes."""

    def test(self) -> dict[str, ImageSet]:
        """The test sets by ``DATA SET, SPLIT``; class numbers are indices into ``labels``."""


RECIPES: Final[dict[str, type[Recipe]]] = {recipe.name: recipe for recipe in (Digits, Letters, Category, Fashion)}
EVALUATION_DATA: Final[dict[str, Callable[[Path], EvaluationData]]] = {**RECIPES, Characters.name: Characters}
