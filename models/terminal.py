"""Escapes untrusted text for terminals and logs."""


def printable(text: str) -> str:
    r"""The text in one line, with every non-printable character as a backslash escape such as ``\x1b``."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
