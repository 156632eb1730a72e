"""Text from elsewhere on a terminal or in a log: one line that does nothing but be read."""


def printable(text: str) -> str:
    r"""The text in one line, every character that is not printed (control characters, escapes, what turns the direction of
    writing) as a backslash escape such as ``\x1b``."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
