"""The titles of the project's own models in plain words and in the visitor's language."""

from ui.api.schemas import Model
from ui.i18n.translation import translate


def title(model: Model) -> str:
    """Return the title of a model. That of any other model than the project's own is the service's."""
    known = {
        "Handwritten digits, scanned or drawn": translate("titles.digits"),
        "Handwritten letters, capital or small": translate("titles.letters"),
        "Digit, letter or other drawing": translate("titles.category"),
        "Digits, letters and other drawings, read one after the other": translate("titles.characters"),
        "Numbers of several digits, in one line or more": translate("titles.numbers"),
        "Digits and capital letters in one line or more": translate("titles.text"),
        "Clothing, shoes and bags": translate("titles.fashion"),
    }
    return known.get(model.title, model.title)
