"""The sidebar: which model, which model to compare it with, and which device."""

from dataclasses import dataclass
from typing import Final

import streamlit as st

from ui.api.schemas import DeviceStatus, Model, ModelCatalogue
from ui.components import markup
from ui.i18n.translation import translate
from ui.state.widget_state import set_widget

DEVICES: Final = ("auto", "cpu", "gpu")


@dataclass(frozen=True, slots=True)
class Selection:
    """The chosen model and device, and the comparison model if there is one."""

    model: Model
    device: str
    comparison_model: Model | None = None

    def models(self) -> list[Model]:
        """Return the models that classify the picture, the chosen one first."""
        return [self.model, self.comparison_model] if self.comparison_model else [self.model]

    def device_for(self, model: Model) -> str:
        """Return the chosen device if the model can run on it, else `auto`."""
        return self.device if self.device in device_options(model)[0] else "auto"


def show_heading() -> None:
    """Show the heading. It is there before the service has answered, so that the page does not change its layout then."""
    with st.sidebar:
        st.header(translate("sidebar.title"), anchor=False)


def show(catalogue: ModelCatalogue | None) -> Selection:
    """Show the settings and return the selection; without a catalogue nothing can be chosen."""
    with st.sidebar:
        if catalogue is None:
            placeholder = translate("sidebar.models_unknown")
            st.selectbox(translate("sidebar.model"), [], placeholder=placeholder, disabled=True, key="no-model")
            return Selection(Model(name=""), "auto")
        names = catalogue.names()
        name = st.selectbox(translate("sidebar.model"), names, key="model", help=translate("sidebar.model_help"))
        model = catalogue.get(name or names[0])
        show_description(model)
        comparison_model = select_comparison_model(catalogue, model)
        return Selection(model, select_device(model), comparison_model)


def show_description(model: Model) -> None:
    """Show a model's title and version."""
    parts = [model.title, translate("sidebar.version", version=model.version) if model.version else ""]
    st.html(f'<p class="muted">{markup.escape(", ".join(part for part in parts if part))}</p>')


def select_comparison_model(catalogue: ModelCatalogue, model: Model) -> Model | None:
    """Show the list of comparison models and return the chosen one, if any."""
    names = comparison_models(catalogue, model)
    if not names:
        return None
    if st.session_state.get("comparison-model") not in names:
        st.session_state["comparison-model"] = None
    name = st.selectbox(
        translate("sidebar.comparison_model"),
        names,
        index=None,
        placeholder=translate("sidebar.no_comparison_model"),
        key="comparison-model",
    )
    if name is None:
        return None
    show_description(catalogue.get(name))
    return catalogue.get(name)


def comparison_models(catalogue: ModelCatalogue, model: Model) -> list[str]:
    """Return the names of the other models that read the same kind of picture."""
    others = (catalogue.get(name) for name in catalogue.names() if name != model.name)
    return [other.name for other in others if other.card.subject == model.card.subject]


def select_device(model: Model) -> str:
    """Show the devices that the model can run on, then the unavailable ones with the reason; return the chosen one."""
    available, unavailable = device_options(model)
    labels = {name: device_label(name) for name in DEVICES}
    chosen = st.session_state.get("device")
    set_widget("device", chosen if chosen in available else "auto")
    device = st.radio(translate("sidebar.device"), available, format_func=labels.__getitem__, key="device")
    for name, reason in unavailable.items():
        # Streamlit cannot disable a single option of a radio group. A disabled group of one option looks the same.
        st.radio(
            translate("sidebar.device_unavailable", device=labels[name]),
            [name],
            index=None,
            format_func=labels.__getitem__,
            disabled=True,
            label_visibility="collapsed",
            key=f"unavailable-{name}",
        )
        st.html(f'<p class="muted reason">{markup.escape(reason or translate("sidebar.not_available"))}</p>')
    return device or "auto"


def device_options(model: Model) -> tuple[list[str], dict[str, str]]:
    """Return the available devices, and the unavailable ones with the service's reason or an empty text."""
    known = {name: model.devices.get(name, DeviceStatus(available=name == "cpu")) for name in DEVICES if name != "auto"}
    available = ["auto", *(name for name, device in known.items() if device.available)]
    return available, {name: device.reason or "" for name, device in known.items() if not device.available}


def device_label(name: str) -> str:
    """Return the displayed name of a device."""
    return translate("sidebar.auto") if name == "auto" else name.upper()
