"""The parts of the page, each with a function `show` that puts it on the page."""
