"""The texts of the page in every language it has."""
