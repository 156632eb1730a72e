"""Code examples that send the same request as the page: curl, Python and JavaScript."""

import json
import shlex
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

import streamlit as st

from ui.api.client import TOP_K
from ui.i18n.translation import translate

TABS: Final = ("curl", "Python: bentoml", "Python: httpx", "JavaScript", "JavaScript: canvas")


@dataclass(frozen=True, slots=True)
class SnippetRequest:
    """One request to `/classify`: the service's address, model, device, and name and media type of the file.

    `with_key` if the service needs an API key. The code reads it from the environment, so that the page never shows it.
    """

    address: str
    model: str
    device: str
    file: str
    kind: str
    with_key: bool = False

    @property
    def url(self) -> str:
        """The URL with the query parameters."""
        return f"{self.address}/classify?{urlencode({'model': self.model, 'top_k': TOP_K, 'device': self.device})}"


def show(request: SnippetRequest, picture: bytes | None = None) -> None:
    """Show the expander with the code examples, and a button that downloads the picture where there is one."""
    expander = st.expander(translate("snippets.title"), icon=":material/code:", key="code", on_change="rerun")
    if not expander.open:
        return  # rendering what is not visible would delay the next stroke
    with expander:
        st.caption(translate("snippets.about"))
        curl_tab, bentoml_tab, httpx_tab, fetch_tab, canvas_tab = st.tabs(TABS)
        curl_tab.code(curl(request), language="bash")
        bentoml_tab.code(bentoml(request), language="python")
        httpx_tab.code(httpx(request), language="python")
        fetch_tab.code(javascript(request), language="javascript")
        canvas_tab.code(canvas(request), language="javascript")
        with st.container(horizontal=True):
            if picture is not None:
                icon = ":material/download:"
                st.download_button(
                    translate("snippets.download"), picture, request.file, request.kind, icon=icon, on_click="ignore"
                )
            st.link_button(translate("snippets.api"), f"{request.address}/", icon=":material/menu_book:", type="tertiary")


def curl(request: SnippetRequest) -> str:
    """Return a shell command with curl."""
    lines = [f"curl --data-binary {shlex.quote('@' + request.file)}", f"-H {shlex.quote('Content-Type: ' + request.kind)}"]
    if request.with_key:
        lines.append('-H "Authorization: Bearer $API_KEY"')
    return " \\\n  ".join([*lines, shlex.quote(request.url)])


def bentoml(request: SnippetRequest) -> str:
    """Return a Python script with BentoML's client."""
    key = ', token=os.environ["API_KEY"]' if request.with_key else ""
    options = f"model={quote(request.model)}, top_k={TOP_K}, device={quote(request.device)}"
    return (
        f"{imports(request)}"
        "import bentoml\n\n"
        f"with bentoml.SyncHTTPClient({quote(request.address)}{key}) as client:\n"
        f"    answer = client.classify(image=Path({quote(request.file)}), {options})\n"
        '    print(answer["label"], answer["confidence"])'
    )


def httpx(request: SnippetRequest) -> str:
    """Return a Python script with httpx."""
    key = ', "Authorization": f"Bearer {os.environ[\'API_KEY\']}"' if request.with_key else ""
    return (
        f"{imports(request)}"
        "import httpx\n\n"
        "response = httpx.post(\n"
        f"    {quote(request.address + '/classify')},\n"
        f'    params={{"model": {quote(request.model)}, "top_k": {TOP_K}, "device": {quote(request.device)}}},\n'
        f'    headers={{"Content-Type": {quote(request.kind)}{key}}},\n'
        f"    content=Path({quote(request.file)}).read_bytes(),\n"
        ")\n"
        "response.raise_for_status()\n"
        "answer = response.json()\n"
        'print(answer["label"], answer["confidence"])'
    )


def javascript(request: SnippetRequest) -> str:
    """Return a JavaScript module for Node.js, Deno or Bun."""
    key = ", Authorization: `Bearer ${process.env.API_KEY}`" if request.with_key else ""
    return (
        "// For Node.js, Deno or Bun, in a file that ends in .mjs. In a browser, only pages of the service itself may\n"
        "// send requests to it, unless CORS_ORIGINS of the service allows others.\n"
        'import { readFile } from "node:fs/promises";\n\n'
        f"const response = await fetch({quote(request.url)}, {{\n"
        '  method: "POST",\n'
        f'  headers: {{ "Content-Type": {quote(request.kind)}{key} }},\n'
        f"  body: await readFile({quote(request.file)}),\n"
        "});\n"
        "const answer = await response.json();\n"
        "if (!response.ok) throw new Error(answer.detail);\n"
        "console.log(answer.label, answer.confidence);"
    )


def canvas(request: SnippetRequest) -> str:
    """Return JavaScript for a web page that sends the picture of its canvas as base64 in JSON."""
    key = ", Authorization: `Bearer ${apiKey}`" if request.with_key else ""
    options = f"model: {quote(request.model)}, top_k: {TOP_K}, device: {quote(request.device)}"
    return (
        "// For a web page with a canvas. CORS_ORIGINS of the service must contain the origin of that page.\n"
        + (
            "// Everyone who opens this page can read the API key. Do not publish the page, or keep the key on a server.\n"
            * request.with_key
        )
        + 'const canvas = document.querySelector("canvas");\n\n'
        f"const response = await fetch({quote(request.address + '/classify')}, {{\n"
        '  method: "POST",\n'
        f'  headers: {{ "Content-Type": "application/json"{key} }},\n'
        f"  body: JSON.stringify({{ image: canvas.toDataURL(), {options} }}),\n"
        "});\n"
        "const answer = await response.json();\n"
        "if (!response.ok) throw new Error(answer.detail);\n"
        "console.log(answer.label, answer.confidence);"
    )


def imports(request: SnippetRequest) -> str:
    """Return the imports that both Python scripts begin with."""
    return ("import os\n" if request.with_key else "") + "from pathlib import Path\n\n"


def quote(text: str) -> str:
    """Return a string literal that is valid in Python and in JavaScript."""
    return json.dumps(text, ensure_ascii=False)
