"""The question the page just asked, as code: curl, Python, JavaScript."""

import json
import shlex
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

import streamlit as st

from ui.client import TOP_K
from ui.language import say

TABS: Final = ("curl", "Python: bentoml", "Python: httpx", "JavaScript", "JavaScript: canvas")


@dataclass(frozen=True, slots=True)
class Call:
    """One request to `/classify`: where to, for which model on which device, and the name and media type of the file it sends.

    `with_key` where the service wants an API key; the code takes it from the environment, so that none stands on the page.
    """

    address: str
    model: str
    device: str
    file: str
    kind: str
    with_key: bool = False

    @property
    def url(self) -> str:
        """The address with the options."""
        return f"{self.address}/classify?{urlencode({'model': self.model, 'top_k': TOP_K, 'device': self.device})}"


def show(call: Call, picture: bytes | None = None) -> None:
    """The code for what was just answered, one click away; the picture to save, where the visitor has no file of it."""
    part = st.expander(say("snippets.title"), icon=":material/code:", key="code", on_change="rerun")
    if not part.open:
        return  # what nobody looks at would only hold back the next stroke
    with part:
        st.caption(say("snippets.about"))
        curl_tab, bentoml_tab, httpx_tab, fetch_tab, canvas_tab = st.tabs(TABS)
        curl_tab.code(curl(call), language="bash")
        bentoml_tab.code(bentoml(call), language="python")
        httpx_tab.code(httpx(call), language="python")
        fetch_tab.code(javascript(call), language="javascript")
        canvas_tab.code(canvas(call), language="javascript")
        with st.container(horizontal=True):
            if picture is not None:
                icon = ":material/download:"
                st.download_button(say("snippets.save"), picture, call.file, call.kind, icon=icon, on_click="ignore")
            st.link_button(say("snippets.api"), f"{call.address}/", icon=":material/menu_book:", type="tertiary")


def curl(call: Call) -> str:
    """A command for a shell."""
    lines = [f"curl --data-binary {shlex.quote('@' + call.file)}", f"-H {shlex.quote('Content-Type: ' + call.kind)}"]
    if call.with_key:
        lines.append('-H "Authorization: Bearer $API_KEY"')
    return " \\\n  ".join([*lines, shlex.quote(call.url)])


def bentoml(call: Call) -> str:
    """A script with BentoML's own client."""
    key = ', token=os.environ["API_KEY"]' if call.with_key else ""
    options = f"model={quoted(call.model)}, top_k={TOP_K}, device={quoted(call.device)}"
    return (
        f"{imports(call)}"
        "import bentoml\n\n"
        f"with bentoml.SyncHTTPClient({quoted(call.address)}{key}) as client:\n"
        f"    answer = client.classify(image=Path({quoted(call.file)}), {options})\n"
        '    print(answer["label"], answer["confidence"])'
    )


def httpx(call: Call) -> str:
    """A script with httpx."""
    key = ', "Authorization": f"Bearer {os.environ[\'API_KEY\']}"' if call.with_key else ""
    return (
        f"{imports(call)}"
        "import httpx\n\n"
        "response = httpx.post(\n"
        f"    {quoted(call.address + '/classify')},\n"
        f'    params={{"model": {quoted(call.model)}, "top_k": {TOP_K}, "device": {quoted(call.device)}}},\n'
        f'    headers={{"Content-Type": {quoted(call.kind)}{key}}},\n'
        f"    content=Path({quoted(call.file)}).read_bytes(),\n"
        ")\n"
        "response.raise_for_status()\n"
        "answer = response.json()\n"
        'print(answer["label"], answer["confidence"])'
    )


def javascript(call: Call) -> str:
    """A module for a JavaScript runtime."""
    key = ", Authorization: `Bearer ${process.env.API_KEY}`" if call.with_key else ""
    return (
        "// For Node.js, Deno or Bun, in a file that ends in .mjs. In a browser, only a page that the service itself\n"
        "// serves may ask it, unless its settings let others (CORS is off as it comes).\n"
        'import { readFile } from "node:fs/promises";\n\n'
        f"const response = await fetch({quoted(call.url)}, {{\n"
        '  method: "POST",\n'
        f'  headers: {{ "Content-Type": {quoted(call.kind)}{key} }},\n'
        f"  body: await readFile({quoted(call.file)}),\n"
        "});\n"
        "const answer = await response.json();\n"
        "if (!response.ok) throw new Error(answer.detail);\n"
        "console.log(answer.label, answer.confidence);"
    )


def canvas(call: Call) -> str:
    """JavaScript for a page with a canvas on it, whose picture goes as base64 in JSON."""
    key = ", Authorization: `Bearer ${apiKey}`" if call.with_key else ""
    options = f"model: {quoted(call.model)}, top_k: {TOP_K}, device: {quoted(call.device)}"
    return (
        "// For a page with a canvas on it. CORS_ORIGINS of the service has to name the page's site.\n"
        + (
            "// Whoever opens such a page can read the key that it sends: keep the page inside, or the key on a server.\n"
            * call.with_key
        )
        + 'const canvas = document.querySelector("canvas");\n\n'
        f"const response = await fetch({quoted(call.address + '/classify')}, {{\n"
        '  method: "POST",\n'
        f'  headers: {{ "Content-Type": "application/json"{key} }},\n'
        f"  body: JSON.stringify({{ image: canvas.toDataURL(), {options} }}),\n"
        "});\n"
        "const answer = await response.json();\n"
        "if (!response.ok) throw new Error(answer.detail);\n"
        "console.log(answer.label, answer.confidence);"
    )


def imports(call: Call) -> str:
    """What both Python scripts begin with."""
    return ("import os\n" if call.with_key else "") + "from pathlib import Path\n\n"


def quoted(text: str) -> str:
    """A string literal, the same in Python and JavaScript."""
    return json.dumps(text, ensure_ascii=False)
