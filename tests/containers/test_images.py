"""Both images: what they hold and do not hold, how large they are, and that what was cut is not missed."""

import json
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest
from cyclonedx.validation.json import JsonStrictValidator

from deploy.images import MEGABYTE, layers, project_version
from deploy.sbom import SCHEMA
from deploy.trim import FILES, PACKAGES
from tests.containers.conftest import Images
from tests.containers.engine import docker, run_once
from tests.support.processes import ROOT

pytestmark = [pytest.mark.containers, pytest.mark.slow]

IMAGES = ("api", "page")
# Above the base, which is about 125 MB where it is the official one. The aim is 360 MB in all for the API.
MEGABYTES_ABOVE_BASE = {"api": 235, "page": 235}
CODE = {"api": "/app/bento", "page": "/app/ui"}

FORBIDDEN = """
import importlib.util, os, shutil, subprocess, sys
tools = ["pip", "pip3", "uv", "cc", "gcc", "c++", "ld", "make", "git", "curl", "wget"]
print([tool for tool in tools if shutil.which(tool)])
find = "import importlib.util as u; print([n for n in ('pip', 'setuptools', 'ensurepip') if u.find_spec(n)])"
for python in (sys.executable, os.path.realpath(sys.executable)):
    print(subprocess.run([python, "-c", find], capture_output=True, text=True, check=True).stdout.strip())
"""

# Prints which modules there are, and then those that cannot be imported, with the module that they miss.
IMPORT_ALL = """
import importlib, sys
from pathlib import Path
root, packages = Path({root!r}), {packages!r}
sys.path.insert(0, str(root))
files = [file for package in packages for file in sorted((root / package).rglob("*.py"))]
names = [".".join(file.relative_to(root).with_suffix("").parts) for file in files]
for name in names:
    if name.split(".")[-1] in ("__main__", "env", "app") or "versions" in name.split("."):
        continue  # programs
    print(name)
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        print("missing", error.name, "for", name)
"""
# The tools that bring in new models need onnx, which is not installed where models are served.
IMPORTS = {
    "api": ("/app/bento/src", ["gallery", "models", "preprocessing", "serving"], "onnx"),
    "page": ("/app", ["ui"], None),
}


@pytest.mark.parametrize("image", IMAGES)
def test_neither_installer_nor_compiler_is_in_the_image(images: Images, image: str) -> None:
    assert run_once(getattr(images, image), FORBIDDEN).splitlines() == ["[]"] * 3


@pytest.mark.parametrize("image", IMAGES)
def test_every_module_of_the_project_can_be_imported(images: Images, image: str) -> None:
    root, packages, absent = IMPORTS[image]
    lines = run_once(getattr(images, image), IMPORT_ALL.format(root=root, packages=packages)).splitlines()
    assert len(lines) > 30
    missing = [line.split() for line in lines if line.startswith("missing ")]
    assert [words for words in missing if words[1] != absent or not words[3].startswith("models.")] == []


@pytest.mark.parametrize(("cpus", "workers"), [("0.5", "1"), ("1.5", "2")])
def test_workers_are_as_many_as_the_cpus_of_the_container(images: Images, cpus: str, workers: str) -> None:
    code = "from serving.settings import Settings; print(Settings().workers)"
    assert run_once(images.api, code, f"--cpus={cpus}", "--workdir=/app/bento/src") == workers


def test_every_entry_of_the_cut_list_removes_something(images: Images) -> None:
    read = "print(open('/app/.venv/trimmed.json').read())"
    reports = {image: json.loads(run_once(getattr(images, image), read)) for image in IMAGES}
    assert [(image, name) for image in IMAGES for name in PACKAGES[image] if not reports[image][name]] == []
    assert [pattern for pattern in FILES if not any(report[pattern] for report in reports.values())] == []


@pytest.mark.parametrize("image", IMAGES)
def test_image_is_small_and_its_dependencies_come_before_its_code(
    images: Images, image: str, capfd: pytest.CaptureFixture[str]
) -> None:
    base, *added = layers(getattr(images, image))
    megabytes = sum(size for size, _ in added) / MEGABYTE
    with capfd.disabled():
        print(f"\n{getattr(images, image)}: {megabytes:.0f} MB above the base of {base[0] / MEGABYTE:.0f} MB")  # noqa: T201
    assert megabytes <= MEGABYTES_ABOVE_BASE[image]
    copies = [instruction.split()[1] for _, instruction in added if instruction.startswith("COPY")]
    assert copies == ["/app/.venv", CODE[image]]


@pytest.mark.parametrize("image", IMAGES)
def test_labels_and_configuration(images: Images, image: str) -> None:
    config = json.loads(docker("inspect", "--format={{json .Config}}", getattr(images, image)))
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in config["Labels"].items()}
    revision = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert (labels["version"], labels["licenses"]) == (project_version(), "Apache-2.0")
    assert labels["revision"].removesuffix("-dirty") == revision.strip()
    assert config["User"] == "1034:1034"
    assert config["Entrypoint"][0] in ("bentoml", "python")
    assert config["Healthcheck"]["Test"][:2] == ["CMD", "python"]
    assert not [each for each in config["Env"] if each.startswith(("BENTOML_CONTAINERIZED", "PIP_"))]


@pytest.mark.parametrize("image", IMAGES)
def test_no_secret_of_the_build_is_in_the_image(images: Images, image: str) -> None:
    assert (
        run_once(getattr(images, image), "import os; print([p for p in ('/run/secrets', '/trim.py') if os.path.exists(p)])")
        == "[]"
    )


@pytest.mark.parametrize("image", IMAGES)
def test_bill_of_materials_lists_what_the_image_holds(images: Images, image: str) -> None:
    name = getattr(images, image).partition(":")[0]
    text = Path(ROOT, "build", f"sbom-{name}.json").read_text(encoding="utf-8")
    assert JsonStrictValidator(SCHEMA).validate_str(text) is None
    listed = json.loads(text)["components"]
    purls = {unquote(part["purl"].partition("?")[0]) for part in listed if "purl" in part}
    folders = run_once(
        getattr(images, image), "import glob; print('\\n'.join(glob.glob('/app/.venv/lib/python3*/site-packages/*.dist-info')))"
    )
    python = {Path(folder).name.removesuffix(".dist-info").rpartition("-") for folder in folders.splitlines()}
    debian = docker(
        "run",
        "--rm",
        "--network=none",
        "--entrypoint=dpkg-query",
        getattr(images, image),
        "--show",
        "--showformat=${Package}\n",
    )
    packages = {f"pkg:pypi/{name.replace('_', '-').replace('.', '-').lower()}@{version}" for name, _, version in python}
    assert {purl for purl in purls if purl.startswith("pkg:pypi/")} == packages
    assert {purl.split("/")[2].partition("@")[0] for purl in purls if purl.startswith("pkg:deb/")} == set(debian.split())
    models = [part["name"] for part in listed if part["type"] == "machine-learning-model"]
    assert sorted(models) == (
        ["category", "characters", "digits", "fashion", "letters", "numbers", "text"] if image == "api" else []
    )
