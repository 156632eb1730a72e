"""The recipes of the models in models/, by name."""

from training.recipe import Recipe
from training.recipes.category import Category
from training.recipes.digits import Digits
from training.recipes.fashion import Fashion
from training.recipes.letters import Letters

RECIPES: dict[str, type[Recipe]] = {recipe.name: recipe for recipe in (Digits, Letters, Category, Fashion)}
