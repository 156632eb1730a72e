"""The choices: which model, which device, how broad a brush."""

from dataclasses import dataclass
from typing import Final

import streamlit as st

from ui.answers import Catalogue, Device, Model

DEVICES: Final = {"auto": "Automatic", "cpu": "CPU", "gpu": "GPU"}


@dataclass(frozen=True, slots=True)
class Choice:
    """What the visitor chose."""

    model: Model
    device: str
    brush: int


def show(catalogue: Catalogue | None) -> Choice:
    """The sidebar; without a catalogue there is nothing to choose but the brush."""
    with st.sidebar:
        st.header("Settings", anchor=False)
        if catalogue is None:
            st.selectbox("Model", [], placeholder="not known yet", disabled=True, key="no-model")
            model, device = Model(name=""), "auto"
        else:
            model = catalogue.model(st.selectbox("Model", catalogue.names(), key="model") or catalogue.names()[0])
            about(model)
            device = choose_device(model)
        brush = st.slider("Brush width", min_value=6, max_value=40, value=20, format="%d px", key="brush")
    return Choice(model, device, brush)


def about(model: Model) -> None:
    """What the chosen model is."""
    words = [model.title, f"version {model.version}" if model.version else ""]
    st.caption(", ".join(word for word in words if word))


def choose_device(model: Model) -> str:
    """The devices the model can run on, then those it cannot, each with the reason."""
    offered, refused = devices(model)
    device = st.radio("Device", offered, format_func=label, key="device")
    for name, reason in refused.items():
        # A single option of a radio cannot be disabled, a radio of one can: it looks like the last row of the group.
        st.radio(
            f"{label(name)} is not available",
            [name],
            index=None,
            format_func=label,
            captions=[reason],
            disabled=True,
            label_visibility="collapsed",
            key=f"refused-{name}",
        )
    return device or "auto"


def devices(model: Model) -> tuple[list[str], dict[str, str]]:
    """The names on offer and, for the others, why they are not."""
    known = {name: model.devices.get(name, Device(available=name == "cpu")) for name in DEVICES if name != "auto"}
    offered = ["auto", *(name for name, device in known.items() if device.available)]
    return offered, {name: device.reason or "Not available." for name, device in known.items() if not device.available}


def label(name: str) -> str:
    """The word for a device."""
    return DEVICES[name]
