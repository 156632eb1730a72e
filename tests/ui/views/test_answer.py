"""The HTML of one answer."""

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
