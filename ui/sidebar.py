"""The choices: which model, which to compare it with, which device."""

from dataclasses import dataclass
from typing import Final

import streamlit as st

from ui import choices, markup
from ui.answers import Catalogue, Device, Model
from ui.language import say

DEVICES: Final = ("auto", "cpu", "gpu")


@dataclass(frozen=True, slots=True)
class Choice:
    """What the visitor chose; `rival` is the model asked besides, if any."""

    model: Model
    device: str
    rival: Model | None = None

    def asked(self) -> list[Model]:
        """The models to ask, the chosen one first."""
        return [self.model, self.rival] if self.rival else [self.model]

    def device_of(self, model: Model) -> str:
        """The chosen device, where the model has it."""
        return self.device if self.device in devices(model)[0] else "auto"


def begin() -> None:
    """The heading, before there is anything to choose: the page has its shape while it waits for the service."""
    with st.sidebar:
        st.header(say("sidebar.title"), anchor=False)


def show(catalogue: Catalogue | None) -> Choice:
    """The choices; without a catalogue there are none."""
    with st.sidebar:
        if catalogue is None:
            st.selectbox(say("sidebar.model"), [], placeholder=say("sidebar.not_known_yet"), disabled=True, key="no-model")
            return Choice(Model(name=""), "auto")
        name = st.selectbox(say("sidebar.model"), catalogue.names(), key="model", help=say("sidebar.model_help"))
        model = catalogue.model(name or catalogue.names()[0])
        about(model)
        rival = choose_rival(catalogue, model)
        return Choice(model, choose_device(model), rival)


def about(model: Model) -> None:
    """What a model is."""
    words = [model.title, say("sidebar.version", version=model.version) if model.version else ""]
    st.html(f'<p class="quiet">{markup.text(", ".join(word for word in words if word))}</p>')


def choose_rival(catalogue: Catalogue, model: Model) -> Model | None:
    """The model to compare the chosen one with, if the visitor wants one."""
    names = rivals(catalogue, model)
    if not names:
        return None
    if st.session_state.get("rival") not in names:
        st.session_state["rival"] = None
    name = st.selectbox(say("sidebar.rival"), names, index=None, placeholder=say("sidebar.no_rival"), key="rival")
    if name is None:
        return None
    about(catalogue.model(name))
    return catalogue.model(name)


def rivals(catalogue: Catalogue, model: Model) -> list[str]:
    """The other models that read the same kind of picture."""
    others = (catalogue.model(name) for name in catalogue.names() if name != model.name)
    return [other.name for other in others if other.card.subject == model.card.subject]


def choose_device(model: Model) -> str:
    """The devices the model can run on, then those it cannot, each with the reason."""
    offered, refused = devices(model)
    words = {name: label(name) for name in DEVICES}
    chosen = st.session_state.get("device")
    choices.hold("device", chosen if chosen in offered else "auto")
    device = st.radio(say("sidebar.device"), offered, format_func=words.__getitem__, key="device")
    for name, reason in refused.items():
        # A single option of a radio cannot be disabled, a radio of one can: it looks like the last row of the group.
        st.radio(
            say("sidebar.refused", device=words[name]),
            [name],
            index=None,
            format_func=words.__getitem__,
            disabled=True,
            label_visibility="collapsed",
            key=f"refused-{name}",
        )
        st.html(f'<p class="quiet reason">{markup.text(reason or say("sidebar.not_available"))}</p>')
    return device or "auto"


def devices(model: Model) -> tuple[list[str], dict[str, str]]:
    """The names on offer and, for the others, why they are not, as far as the service says so."""
    known = {name: model.devices.get(name, Device(available=name == "cpu")) for name in DEVICES if name != "auto"}
    offered = ["auto", *(name for name, device in known.items() if device.available)]
    return offered, {name: device.reason or "" for name, device in known.items() if not device.available}


def label(name: str) -> str:
    """The word for a device."""
    return say("sidebar.auto") if name == "auto" else name.upper()
