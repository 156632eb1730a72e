"""The sidebar's selection: devices and comparison models."""

from tests.ui.fake_service import NO_GPU, fashion_model, model, models_response
from ui.api.schemas import Model, ModelCatalogue
from ui.views.sidebar import Selection, comparison_models, device_options

BOTH_DEVICES = {"cpu": {"available": True}, "gpu": {"available": True}}


def test_unavailable_devices_have_a_reason() -> None:
    assert device_options(Model.model_validate(model("digits"))) == (["auto", "cpu"], {"gpu": NO_GPU})
    assert device_options(Model.model_validate(model("digits", devices=BOTH_DEVICES))) == (["auto", "cpu", "gpu"], {})
    assert device_options(Model(name="digits")) == (["auto", "cpu"], {"gpu": ""})


def test_comparison_models_read_the_same_kind_of_picture() -> None:
    catalogue = ModelCatalogue.model_validate(models_response("digits", "letters", others=[fashion_model()]))
    assert comparison_models(catalogue, catalogue.get("digits")) == ["letters"]
    assert comparison_models(catalogue, catalogue.get("fashion")) == []


def test_comparison_model_without_the_chosen_device_uses_auto() -> None:
    first = Model.model_validate(model("digits", devices=BOTH_DEVICES))
    second = Model.model_validate(model("letters"))
    selection = Selection(first, "gpu", second)
    assert selection.models() == [first, second]
    assert [selection.device_for(each) for each in selection.models()] == ["gpu", "auto"]
    assert Selection(first, "gpu").models() == [first]
