"""What a container image holds: its Python and Debian packages and its models, as a bill of materials."""

import json
import subprocess
from collections.abc import Iterable, Mapping
from typing import Any, Final

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat
from packageurl import PackageURL
from packaging.utils import canonicalize_name

from deploy.sbom import SCHEMA, licences, model
from models.card import Card, ModelCard

# Runs in the image, whose Python has the standard library and the packages of the service alone.
LIST_CONTENTS: Final = """
import glob, hashlib, importlib.metadata, json, os, platform, re
fields = ("License-Expression", "License", "Classifier")
python = [
    {"name": each.metadata["Name"], "version": each.version, **{field: each.metadata.get_all(field) or [] for field in fields}}
    for each in importlib.metadata.distributions()
]
status = open("/var/lib/dpkg/status", encoding="utf-8").read() if os.path.exists("/var/lib/dpkg/status") else ""
debian = [
    dict(re.findall(r"(?m)^(Package|Version|Architecture): (.*)$", entry))
    for entry in status.split("\\n\\n") if re.search(r"(?m)^Status: .* installed$", entry)
]
models = {}
for folder in glob.glob("/app/bento/models/*/*/"):
    file = folder + "model.onnx"  # a cascade or a sequence has none
    sha256 = hashlib.sha256(open(file, "rb").read()).hexdigest() if os.path.exists(file) else ""
    models[":".join(folder.split("/")[-3:-1])] = sha256
print(json.dumps({"interpreter": platform.python_version(), "python": python, "debian": debian, "models": models}))
"""


def image_contents(image: str) -> dict[str, Any]:
    """List what an image holds: ``interpreter``, ``python``, ``debian`` and the SHA-256 of its ``models``, empty where
    a model has no file.

    Raises:
        CalledProcessError: the image does not start.
    """
    command = ["docker", "run", "--rm", "--network=none", "--read-only", "--entrypoint=python", image, "-c", LIST_CONTENTS]
    contents: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return contents


def bill_of_image(image: str, contents: Mapping[str, Any], cards: Iterable[Card]) -> str:
    """Make the bill of materials of an image as CycloneDX JSON; models get their licences from the cards."""
    bom = Bom()
    root = Component(name=image, type=ComponentType.CONTAINER)
    bom.metadata.component = root
    by_tag = {card.tag: card for card in cards}
    parts = [
        Component(name="python", version=contents["interpreter"], type=ComponentType.APPLICATION, bom_ref="python interpreter"),
        *(_python_package(each) for each in contents["python"]),
        *(_debian_package(each) for each in contents["debian"]),
        *(
            model(by_tag[tag]) if tag in by_tag and _is_same(by_tag[tag], sha256) else _model(tag, sha256)
            for tag, sha256 in contents["models"].items()
        ),
    ]
    bom.components.update(parts)
    bom.register_dependency(root, parts)
    return make_outputter(bom, OutputFormat.JSON, SCHEMA).output_as_string(indent=2)


def _python_package(package: Mapping[str, Any]) -> Component:
    name, version = canonicalize_name(package["name"]), package["version"]
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        purl=PackageURL("pypi", name=name, version=version),
        bom_ref=f"{name}=={version}",
        licenses=licences(package),
    )


def _debian_package(package: Mapping[str, str]) -> Component:
    name, version = package["Package"], package["Version"]
    purl = PackageURL("deb", "debian", name, version, {"arch": package["Architecture"]})
    return Component(name=name, version=version, type=ComponentType.LIBRARY, purl=purl, bom_ref=f"debian {name}")


def _is_same(card: Card, sha256: str) -> bool:
    return not isinstance(card, ModelCard) or card.sha256 == sha256


def _model(tag: str, sha256: str) -> Component:
    name, _, version = tag.partition(":")
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=sha256)] if sha256 else []
    return Component(
        name=name, version=version, type=ComponentType.MACHINE_LEARNING_MODEL, bom_ref=f"model {tag}", hashes=hashes
    )
