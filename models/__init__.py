"""The catalogue: a folder per model, and the code that reads, checks, imports and loads them."""
