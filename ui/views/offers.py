"""Offers other models for a picture that the chosen model rejected, or that belongs to another model."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from ui.api.client import Client, ServiceError, ServiceUnavailable
from ui.api.schemas import Classification, Model, ModelCatalogue, tag_name
from ui.components import labels, markup
from ui.components.notices import reads_numbers
from ui.i18n.translation import translate
from ui.state.session import ClassifyRequest, Session
from ui.views.sidebar import Selection

MAX_OFFERS: Final = 3
# How sure the first model of a cascade must be that a picture, which the chosen model accepted, is of another category.
MIN_CONTRADICTION: Final = 0.9
# The key of the list of models.
MODEL: Final = "model"


def show(
    session: Session, client: Client, request: ClassifyRequest, selection: Selection, classification: Classification
) -> None:
    """Ask other models, and offer those that read the picture although the chosen one does not, or reads something else."""
    if session.catalogue is None:
        return
    sequence = session.catalogue.sequence_for(request.model) if classification.several_characters else None
    if sequence is not None:
        show_sequence(sequence)
        return
    find = ask if classification.rejected else contradicting
    found = find(session, client, request, selection, other_models(session.catalogue, selection))
    for model, answer in found[:MAX_OFFERS]:
        with st.container(key=f"offer-{model.name}", horizontal=True, vertical_alignment="center"):
            text = translate("offers.reads", model=model.name, label=labels.joined(answer))
            st.html(f'<p class="offer">{markup.escape(text)}</p>', width="content")
            st.button(
                translate("offers.switch", model=model.name),
                key=f"switch-{model.name}",
                icon=":material/swap_horiz:",
                type="tertiary",
                on_click=switch,
                args=[model.name],
            )


def show_sequence(model: Model) -> None:
    """Show the button that has a picture of several characters read by a sequence model."""
    title = translate("offers.as_number") if reads_numbers(model.card) else translate("offers.as_text")
    icon = ":material/match_word:"
    st.button(title, key=f"read-with-{model.name}", icon=icon, on_click=switch, args=[model.name])


def other_models(catalogue: ModelCatalogue, selection: Selection) -> list[Model]:
    """Return the models that read the same kind of picture, one character or several, and have not been asked."""
    asked = {model.name for model in selection.models()}
    others = [model for model in catalogue.models if model.name not in asked and markup.is_plain(model.name)]
    card = selection.model.card
    return [each for each in others if (each.card.subject, each.card.is_sequence) == (card.subject, card.is_sequence)]


def ask(
    session: Session, client: Client, request: ClassifyRequest, selection: Selection, models: Sequence[Model]
) -> list[tuple[Model, Classification]]:
    """Return the models that do not reject the picture, with their answers, the most confident first."""
    found = []
    for model in models:
        other = ClassifyRequest(request.picture, model.name, selection.device_for(model), request.drawing_number)
        try:
            answer = session.classify(client, other)
        except (ServiceUnavailable, ServiceError):
            continue  # there is one offer less
        if not answer.rejected:
            found.append((model, answer))
    return sorted(found, key=lambda each: -each[1].confidence)


def contradicting(
    session: Session, client: Client, request: ClassifyRequest, selection: Selection, models: Sequence[Model]
) -> list[tuple[Model, Classification]]:
    """Return the model that an accepted picture belongs to, with its answer, if that is another than the chosen one.

    A cascade that uses the chosen model tells: its first model predicts the category. For a category without a model, or whose
    model rejects the picture, it is the first model itself.
    """
    card = session.catalogue.cascade_of(selection.model.name) if session.catalogue else None
    first = ask(session, client, request, selection, [m for m in models if card and m.name == tag_name(card.first)])
    if card is None or not first or first[0][1].confidence < MIN_CONTRADICTION:
        return []
    responsible = tag_name(card.then.get(first[0][1].label, card.first))
    if responsible == selection.model.name:
        return []
    return ask(session, client, request, selection, [model for model in models if model.name == responsible]) or first


def switch(name: str) -> None:
    """Choose a model. The drawing stays."""
    st.session_state[MODEL] = name


def is_accepted(catalogue: ModelCatalogue | None, selection: Selection) -> bool:
    """Return whether the visitor accepted an offer, so that the whole page must run with the other model."""
    chosen = st.session_state.get(MODEL)
    return catalogue is not None and chosen in catalogue.names() and chosen != selection.model.name
