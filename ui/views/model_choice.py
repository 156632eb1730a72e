"""The model that classifies the picture, chosen beside the picture. Its name is in the address (`?model=`)."""

import streamlit as st

from ui.api.schemas import Model, ModelCatalogue
from ui.components import markup, model_titles
from ui.i18n.translation import translate


def show(catalogue: ModelCatalogue | None) -> Model:
    """Show the list of models and return the chosen one; without a catalogue there is nothing to choose from."""
    with st.container(key="model-choice", horizontal=True, vertical_alignment="center"):
        if catalogue is None:
            placeholder = translate("sidebar.models_unknown")
            st.selectbox(translate("sidebar.model"), [], placeholder=placeholder, disabled=True, key="no-model")
            return Model(name="")
        names = catalogue.names()
        # An unknown name in the address counts as none.
        name = st.selectbox(translate("sidebar.model"), names, key="model", bind="query-params")
        model = catalogue.get(name or names[0])
        show_description(model)
        return model


def show_description(model: Model) -> None:
    """Show a model's title and version."""
    parts = [model_titles.title(model), translate("sidebar.version", version=model.version) if model.version else ""]
    st.html(f'<p class="muted">{markup.escape(", ".join(part for part in parts if part))}</p>')
