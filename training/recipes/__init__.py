"""The recipes of the models in models/ by name, and what judges each of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from training.frames import Pictures
from training.recipe import Recipe
from training.recipes.category import Category
from training.recipes.characters import Characters
from training.recipes.digits import Digits
from training.recipes.fashion import Fashion
from training.recipes.letters import Letters


class Examination(Protocol):
    """Labels and test pictures of a model, as ``Recipe`` has them."""

    @property
    def labels(self) -> list[str]:
        """The classes."""

    def test(self) -> dict[str, Pictures]:
        """Pictures by ``DATA SET, SPLIT``; labels are places in ``labels``."""


RECIPES: Final[dict[str, type[Recipe]]] = {recipe.name: recipe for recipe in (Digits, Letters, Category, Fashion)}
EXAMINATIONS: Final[dict[str, Callable[[Path], Examination]]] = {**RECIPES, Characters.name: Characters}
