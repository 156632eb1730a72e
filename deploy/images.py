"""``python -m deploy.images api`` and ``page``: build a container image, label it, and write its bill of materials.

The API's image is made of the Bento that was built last, the page's of ui/. Each gets the tags ``latest`` and the project's
version; a Bento with CUDA ``gpu`` and VERSION-gpu. pip reads PIP_CONFIG_FILE and PIP_CERT during the build, where they are set;
the files do not get into the image. BUILD_NETWORK=host has the build use the network of the machine.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from deploy.image_contents import bill_of_image, image_contents
from models.card import CARD_FILE, read_card
from models.store import card_folders

ROOT: Final = Path(__file__).parent.parent
NAMES: Final = {"api": "image_classifier", "page": "image_classifier_ui"}
TITLES: Final = {"api": "Image classifier: API", "page": "Image classifier: drawing page"}
LICENCE: Final = "Apache-2.0"
# What pip reads, by the names of the build secrets in the Dockerfiles.
SECRETS: Final = {"pip.conf": "PIP_CONFIG_FILE", "ca.pem": "PIP_CERT"}
MEGABYTE: Final = 1_000_000


def project_version() -> str:
    """The version in pyproject.toml."""
    match = re.search(r'(?m)^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert match is not None
    return match[1]


def labels(image: str) -> dict[str, str]:
    """The OCI labels of an image. The revision is that of the work tree; the source is a remote that is a web address."""
    revision = _git("describe", "--always", "--abbrev=40", "--dirty", "--exclude=*") or "unknown"
    source = re.sub(r"//[^/@]*@", "//", _git("remote", "get-url", "origin"))
    given = {
        "title": TITLES[image],
        "version": project_version(),
        "revision": revision,
        "licenses": LICENCE,
        "source": source if source.startswith("https://") else "",
    }
    return {f"org.opencontainers.image.{name}": value for name, value in given.items() if value}


def tags(image: str, gpu: bool) -> list[str]:
    """The names that an image gets."""
    version = project_version()
    return [f"{NAMES[image]}:{tag}" for tag in ((f"{version}-gpu", "gpu") if gpu else (version, "latest"))]


def build_options(image: str) -> Iterator[tuple[str, str]]:
    """The options of ``docker build`` for both images: labels, secrets and network."""
    for label, value in labels(image).items():
        yield "label", f"{label}={value}"
    for secret, variable in SECRETS.items():
        if path := os.environ.get(variable):
            yield "secret", f"id={secret},src={path}"
    if network := os.environ.get("BUILD_NETWORK"):
        yield "network", network


def build(image: str, gpu: bool) -> None:
    """Build an image under all of its tags.

    Raises:
        RuntimeError: it was not built.
    """
    options = list(build_options(image))
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "id"
        options.append(("iidfile", str(built)))
        if image == "api":
            command = [sys.executable, "-m", "bentoml", "containerize", f"{NAMES[image]}:latest"]
            command += [f"--image-tag={tag}" for tag in tags(image, gpu)]
            command += [f"--opt={name}={value}" for name, value in options]
        else:
            command = ["docker", "build", "--file", "deploy/page.Dockerfile"]
            command += [f"--tag={tag}" for tag in tags(image, gpu)]
            command += [*(f"--{name}={value}" for name, value in options), "."]
        # BentoML since 1.4.36 refuses the template of its own Bento unless that is below the working directory (its issue
        # 5566). It ends with 0 after a failure; only a build that succeeded writes the file with the id.
        subprocess.run(command, cwd="/" if image == "api" else ROOT, env={"DOCKER_BUILDKIT": "1", **os.environ}, check=False)
        if not built.is_file():
            raise RuntimeError(f"{tags(image, gpu)[0]} was not built. The reason is above.")


def layers(tag: str) -> Iterator[tuple[int, str]]:
    """The layers of an image that are not empty, from the base upward: bytes, and the instruction."""
    command = ["docker", "history", "--no-trunc", "--human=false", "--format={{.Size}}\t{{.CreatedBy}}{{.Comment}}", tag]
    history = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for line in reversed(history.splitlines()):
        size, _, instruction = line.partition("\t")
        if int(size):
            yield int(size), " ".join(instruction.split())


def write_bill(image: str, tag: str) -> Path:
    """Write the bill of materials of an image to build/."""
    cards = [read_card(folder / CARD_FILE) for folder in card_folders()]
    gpu = "-gpu" if tag.endswith("-gpu") else ""
    file = ROOT / "build" / f"sbom-{NAMES[image]}{gpu}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{bill_of_image(tag, image_contents(tag), cards)}\n", encoding="utf-8")
    return file


def _git(*arguments: str) -> str:
    ended = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return ended.stdout.strip()


def main(arguments: Sequence[str] | None = None) -> int:
    """Build one image, and say how large its layers are."""
    parser = argparse.ArgumentParser(prog="python -m deploy.images", description=__doc__)
    parser.add_argument("image", choices=list(NAMES))
    parser.add_argument("--gpu", action="store_true", help="the Bento is that of bentofile.gpu.yaml")
    options = parser.parse_args(arguments)
    tag = tags(options.image, options.gpu)[0]
    try:
        build(options.image, options.gpu)
        bill = write_bill(options.image, tag)
        sizes = list(layers(tag))
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for size, instruction in sizes:
        sys.stderr.write(f"{size / MEGABYTE:7.1f} MB  {instruction[:100]}\n")
    total = sum(size for size, _ in sizes) / MEGABYTE
    sys.stderr.write(f"{total:7.1f} MB  {tag}; its bill of materials is {bill.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
