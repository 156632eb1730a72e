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
# The last tab for a model whose pictures cannot be drawn.
FILE_INPUT_TAB: Final = "JavaScript: file input"

PUBLIC_KEY_WARNING: Final = (
    "// Everyone who opens this page can read the API key. Do not publish the page, or keep the key on a server.\n"
)


@dataclass(frozen=True, slots=True)
class SnippetRequest:
    """One request to `/classify`: the service's address, model, device, and name and media type of the file.

    `with_key` if the service needs an API key. The code reads it from the environment, so that the page never shows it.
    `drawable` if pictures for the model can be drawn. The code prints all labels that apply for a `multi_label` model.
    """

    address: str
    model: str
    device: str
    file: str
    kind: str
    with_key: bool = False
    drawable: bool = True
    multi_label: bool = False

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
        curl_tab, bentoml_tab, httpx_tab, fetch_tab, page_tab = st.tabs(tabs(request))
        curl_tab.code(curl(request), language="bash")
        bentoml_tab.code(bentoml(request), language="python")
        httpx_tab.code(httpx(request), language="python")
        fetch_tab.code(javascript(request), language="javascript")
        page_tab.code(canvas(request) if request.drawable else file_input(request), language="javascript")
        with st.container(horizontal=True):
            if picture is not None:
                icon = ":material/download:"
                st.download_button(
                    translate("snippets.download"), picture, request.file, request.kind, icon=icon, on_click="ignore"
                )
            st.link_button(translate("snippets.api"), f"{request.address}/", icon=":material/menu_book:", type="tertiary")


def tabs(request: SnippetRequest) -> list[str]:
    """Return the titles of the tabs."""
    return [*TABS] if request.drawable else [*TABS[:-1], FILE_INPUT_TAB]


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
        f"    {python_print(request)}"
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
        f"{python_print(request)}"
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
        f"{javascript_print(request)}"
    )


def canvas(request: SnippetRequest) -> str:
    """Return JavaScript for a web page that sends the picture of its canvas as base64 in JSON."""
    key = ", Authorization: `Bearer ${apiKey}`" if request.with_key else ""
    options = f"model: {quote(request.model)}, top_k: {TOP_K}, device: {quote(request.device)}"
    return (
        "// For a web page with a canvas. CORS_ORIGINS of the service must contain the origin of that page.\n"
        + PUBLIC_KEY_WARNING * request.with_key
        + 'const canvas = document.querySelector("canvas");\n\n'
        f"const response = await fetch({quote(request.address + '/classify')}, {{\n"
        '  method: "POST",\n'
        f'  headers: {{ "Content-Type": "application/json"{key} }},\n'
        f"  body: JSON.stringify({{ image: canvas.toDataURL(), {options} }}),\n"
        "});\n"
        f"{javascript_print(request)}"
    )


def file_input(request: SnippetRequest) -> str:
    """Return JavaScript for a web page that sends the file that a visitor chooses or photographs."""
    key = ", Authorization: `Bearer ${apiKey}`" if request.with_key else ""
    return (
        '// For a web page with <input type="file" accept="image/*">, which offers the camera on a phone.\n'
        "// CORS_ORIGINS of the service must contain the origin of that page.\n"
        + PUBLIC_KEY_WARNING
        * request.with_key
        + "const [file] = document.querySelector('input[type=\"file\"]').files;\n\n"
        f"const response = await fetch({quote(request.url)}, {{\n"
        '  method: "POST",\n'
        f'  headers: {{ "Content-Type": file.type{key} }},\n'
        "  body: file,\n"
        "});\n"
        f"{javascript_print(request)}"
    )


def python_print(request: SnippetRequest) -> str:
    """Return the Python statement that prints what `answer` says."""
    if request.multi_label:
        return 'print({label: each for label, each in answer["probabilities"].items() if each >= 0.5})'
    return 'print(answer["label"], answer["confidence"])'


def javascript_print(request: SnippetRequest) -> str:
    """Return the JavaScript statements that read `response` and print what the answer says."""
    printed = "answer.label, answer.confidence"
    if request.multi_label:
        printed = "Object.entries(answer.probabilities).filter(([label, each]) => each >= 0.5)"
    return f"const answer = await response.json();\nif (!response.ok) throw new Error(answer.detail);\nconsole.log({printed});"


def imports(request: SnippetRequest) -> str:
    """Return the imports that both Python scripts begin with."""
    return ("import os\n" if request.with_key else "") + "from pathlib import Path\n\n"


def quote(text: str) -> str:
    """Return a string literal that is valid in Python and in JavaScript."""
    return json.dumps(text, ensure_ascii=False)
