"""The HTML of one answer."""

from streamlit.testing.v1 import AppTest

from tests.ui.fake_service import model
from tests.ui.gallery_helpers import make_classification
from ui.api.schemas import Model
from ui.views.answer import answer_html


def test_model_name_is_shown_only_if_named() -> None:
    digits = Model.model_validate(model("digits"))
    assert '<h3 class="model">digits</h3>' in answer_html(make_classification("7"), digits, named=True)
    assert "<h3" not in answer_html(make_classification("7"), digits, named=False)


def test_only_a_rejected_answer_has_a_notice() -> None:
    digits = Model.model_validate(model("digits"))
    assert 'class="notice"' not in answer_html(make_classification("7"), digits, named=False)
    assert 'class="notice"' in answer_html(make_classification("7", rejected=True), digits, named=False)


def script() -> None:
    """A page with the expander of a thousand classes only."""
    from tests.ui.gallery_helpers import make_classification
    from ui.views import answer

    probabilities = {f"label {number}": (1000 - number) / 500_500 for number in range(1000)}
    answer.show_all_classes(make_classification("label 0", probabilities=probabilities), key="all")


def test_only_the_most_likely_of_a_thousand_classes_have_bars() -> None:
    page = AppTest.from_function(script).run()
    assert page.expander[0].label == "The 100 most likely of 1,000 classes"
    (bars,) = page.get("html")
    assert bars.proto.body.count("<li") == 100
    assert ">label 99<" in bars.proto.body
