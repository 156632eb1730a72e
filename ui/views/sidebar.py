"""The sidebar: which model to compare with, and which device."""

from dataclasses import dataclass
from typing import Final

import streamlit as st

from ui.api.schemas import DeviceStatus, Model, ModelCatalogue
from ui.components import markup
from ui.i18n.translation import translate
from ui.state import address
from ui.state.widget_state import OwnedWidget
from ui.views.model_choice import show_description

AUTO: Final = "auto"
DEVICES: Final = (AUTO, "cpu", "gpu")


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
        return self.device if self.device in device_options(model)[0] else AUTO


def show_heading() -> None:
    """Show the heading. It is there before the service has answered, so that the page does not change its layout then."""
    title = translate("sidebar.title")
    with st.sidebar:
        st.header(title, anchor=False)
    # The stylesheet writes it on Streamlit's button that opens the sidebar.
    st.html(f'<style>.stApp {{ --settings: "{title}"; }}</style>')


def show(catalogue: ModelCatalogue | None, model: Model) -> Selection:
    """Show the settings for the chosen model and return the selection; without a catalogue nothing can be chosen."""
    if catalogue is None:
        return Selection(model, AUTO)
    with st.sidebar:
        comparison_model = select_comparison_model(catalogue, model)
        return Selection(model, select_device(model), comparison_model)


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
    """Return the names of the other models that read the same kind of picture: one character, or several."""
    others = (catalogue.get(name) for name in catalogue.names() if name != model.name)
    kind = model.card.subject, model.card.is_sequence
    return [other.name for other in others if (other.card.subject, other.card.is_sequence) == kind]


def select_device(model: Model) -> str:
    """Show the devices that the model can run on, and say which are missing; return the chosen one."""
    available, unavailable = device_options(model)
    labels = {name: device_label(name) for name in DEVICES}
    chosen = address.chosen_device()
    shown = chosen if chosen in available else AUTO
    widget = OwnedWidget.showing("device", shown)
    device = st.radio(
        translate("sidebar.device"),
        available,
        available.index(shown),
        format_func=labels.__getitem__,
        key=widget.key,
        on_change=widget.on_change(lambda device: address.remember_device(device, default=AUTO)),
    )
    for name, reason in unavailable.items():
        st.html(missing_device(labels[name], reason))
    return device or AUTO


def missing_device(name: str, reason: str) -> str:
    """Return a sentence that says that a device cannot be used; the service's reason is folded."""
    text = f'<p class="muted">{markup.escape(translate("sidebar.device_missing", device=name))}</p>'
    if not reason:
        return text
    return f"{text}<details><summary>{markup.escape(translate('sidebar.details'))}</summary>{markup.escape(reason)}</details>"


def device_options(model: Model) -> tuple[list[str], dict[str, str]]:
    """Return the available devices, and the unavailable ones with the service's reason or an empty text."""
    known = {name: model.devices.get(name, DeviceStatus(available=name == "cpu")) for name in DEVICES if name != AUTO}
    available = [AUTO, *(name for name, device in known.items() if device.available)]
    return available, {name: device.reason or "" for name, device in known.items() if not device.available}


def device_label(name: str) -> str:
    """Return the displayed name of a device."""
    return translate("sidebar.auto") if name == AUTO else name.upper()
