"""Sample pictures to click: they show at once what the chosen model reads."""

from base64 import b64encode

import streamlit as st

from ui.api.schemas import Model
from ui.components import labels, markup
from ui.i18n.translation import translate
from ui.images.polyline import svg_path
from ui.images.shapes import render
from ui.state.canvas_paths import to_stroke
from ui.state.samples import Sample, samples_for
from ui.state.session import DRAW, Session


def show(session: Session, model: Model) -> None:
    """Show a button for each sample of the model, if it has any."""
    samples = samples_for(model)
    if not samples:
        return
    with st.container(key="samples"):
        st.html(f'<p class="samples-title">{markup.escape(translate("samples.title"))}</p>')
        styles = ""
        with st.container(key="sample-buttons", horizontal=True):
            for number, sample in enumerate(samples):
                key = f"sample-{number}"
                name = translate("samples.button", label=labels.one_line(sample.label))
                st.button(name, key=key, on_click=choose, args=[session, sample])
                ratio = sample.size[0] / sample.size[1]
                styles += f".st-key-{key} button {{ width: {3.5 * ratio:.2f}rem; }}\n"
                styles += f'.st-key-{key} button {{ background-image: url("{picture_url(sample)}"); }}\n'
        st.html(f"<style>{styles}</style>")


def choose(session: Session, sample: Sample) -> None:
    """Put a drawing on the sheet, where the visitor can go on with it; take a picture as if it had been uploaded."""
    if sample.strokes:
        session.choose_source(DRAW)
        session.load_strokes(tuple(map(to_stroke, sample.strokes)), sample.size)
    else:
        session.open_picture("sample.png", render(sample.shapes))


def picture_url(sample: Sample) -> str:
    """Return the URL of an SVG picture of the sample."""
    strokes = "".join(
        f'<path d="{svg_path(stroke.curve())}" stroke="{stroke.colour}" stroke-width="{stroke.width}"/>'
        for stroke in sample.strokes
    )
    shapes = "".join(
        f'<path d="{svg_path(shape.points)}Z" fill="rgb({shape.grey},{shape.grey},{shape.grey})"/>' for shape in sample.shapes
    )
    width, height = sample.size
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
        f'<g fill="none" stroke-linecap="round" stroke-linejoin="round">{strokes}</g>{shapes}</svg>'
    )
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode('ascii')}"
