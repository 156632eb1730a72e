"""What a service is made of: models as they were made, an image with no more than it needs, and code it does not change."""

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.requirements import lock_file, read_lock
from loadtests.samples import samples
from models.card import MODEL_FILE
from tests.support.bentos import bentoml
from tests.support.processes import ROOT, free_port, refused_start, running, service_environment
from tests.support.watch import watched, written

pytestmark = pytest.mark.served

PICTURE = samples()[0]


def test_a_model_that_was_tampered_with_stops_the_start(model_store: Path, tmp_path: Path) -> None:
    shutil.copytree(model_store / "models", tmp_path / "models")
    (model,) = tmp_path.glob(f"models/fashion/*/{MODEL_FILE}")
    data = bytearray(model.read_bytes())
    data[len(data) // 2] ^= 1
    model.write_bytes(data)
    said = refused_start(tmp_path)
    assert "fashion" in said
    assert "sha256" in said


@pytest.fixture(scope="module")
def home(model_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model store of this module's own."""
    home = tmp_path_factory.mktemp("bentos")
    shutil.copytree(model_store / "models", home / "models")
    return home


@pytest.fixture(scope="module")
def bento(home: Path) -> Path:
    """The folder of the Bento that `make bento` builds."""
    bentoml(home, "build", "-f", "bentofile.yaml")
    (file,) = home.glob("bentos/image_classifier/*/bento.yaml")
    return file.parent


@pytest.fixture(scope="module")
def dockerfile(bento: Path) -> list[tuple[str, str]]:
    """The instructions of its image."""
    text = (bento / "env/docker/Dockerfile").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^\s*#.*\n", "", text).replace("\\\n", " ")
    return [(word, " ".join(rest.split())) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def test_the_image_needs_no_tools_and_runs_as_nobody_in_particular(dockerfile: list[tuple[str, str]]) -> None:
    stages = [index for index, (word, _) in enumerate(dockerfile) if word == "FROM"]
    base = "python:3.11-slim"
    assert [dockerfile[index][1] for index in stages] == [f"{base} AS packages", f"{base} AS code", base]
    commands = " ".join(rest for word, rest in dockerfile if word == "RUN")
    assert not re.search(r"\b(apt|apt-get|curl|wget|git|gcc|build-essential|uv)\b", commands)
    last = dockerfile[stages[-1] :]
    users = [rest for word, rest in last if word == "USER"]
    assert [user.partition(":")[0].isdigit() for user in users] == [True]
    assert int(users[0].partition(":")[0]) > 0
    words = [word for word, _ in last]
    assert words.index("USER") > max(index for index, word in enumerate(words) if word in ("RUN", "COPY"))
    assert not any("--chown" in rest for word, rest in last if word == "COPY")
    assert not {"ADD", "ARG"} & set(words)
    assert ("ENV", "HOST=0.0.0.0") in last


def test_the_image_installs_what_is_locked(dockerfile: list[tuple[str, str]], bento: Path) -> None:
    (install,) = [rest for word, rest in dockerfile if word == "RUN" and "pip install" in rest]
    assert "--require-hashes" in install
    assert "--only-binary=:all:" in install
    assert ("COPY", "env/python/requirements.txt /requirements.txt") in dockerfile
    entries = list(read_lock(bento / "env/python/requirements.txt"))
    locked = {str(entry.requirement): entry.hashes for entry in read_lock(lock_file(ROOT / "bentofile.yaml"))}
    assert {str(entry.requirement): entry.hashes for entry in entries if entry.hashes} == locked
    assert {str(entry.requirement) for entry in entries} == set(locked)  # BentoML names itself once more


def test_the_bento_holds_nothing_but_what_runs(bento: Path) -> None:
    assert sorted(path.name for path in (bento / "src").iterdir()) == [
        *("bentofile.yaml", "gallery", "models", "preprocessing", "service.py", "serving"),
    ]
    assert {path.suffix for path in (bento / "src").rglob("*") if path.is_file()} <= {".py", ".yaml", ".mako"}


@pytest.fixture
def image(bento: Path, home: Path, tmp_path: Path) -> Iterator[Path]:
    """What the image has in /app/bento: the Bento and its models, which nobody may write."""
    folder = tmp_path / "app"
    shutil.copytree(bento, folder)
    shutil.copytree(home / "models", folder / "models")
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for temporary files, of a short name: sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="t") as folder:
        yield Path(folder)


def snapshot(folder: Path) -> dict[Path, tuple[int, int]]:
    """Every file with its size and time."""
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*")}


@pytest.mark.parametrize("topology", ["embedded", "runner"])
def test_it_writes_to_its_home_and_the_temporary_folder_alone(
    image: Path, temporary: Path, tmp_path: Path, topology: str
) -> None:
    state, home = tmp_path / "state", tmp_path / "home"
    state.mkdir()
    home.mkdir()
    port, before = free_port(), snapshot(image)
    address = f"http://127.0.0.1:{port}"
    environment = {
        **service_environment(state, port, TOPOLOGY=topology, WORKERS="1"),
        **watched(tmp_path),
        "TMPDIR": str(temporary),
        "HOME": str(home),
        "XDG_CACHE_HOME": "",
    }
    command = [sys.executable, "-m", "bentoml", "serve", str(image)]
    with (
        running(command, f"{address}/readyz", tmp_path / "log", environment, cwd=image),
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        assert client.post("/classify", content=PICTURE.data).json()["label"] == PICTURE.label
        assert client.post("/explain", content=PICTURE.data).status_code == 200
        assert client.post("/gallery", content=PICTURE.data).status_code == 201
        assert client.get("/gallery/export").status_code == 200
        assert client.get("/metrics").status_code == 200
    allowed = [state.resolve(), temporary.resolve(), Path("/dev")]
    files = written(tmp_path)
    assert any(file.is_relative_to(allowed[0]) for file in files)
    assert any(file.is_relative_to(allowed[1]) for file in files)
    assert [file for file in files if not any(file.is_relative_to(place) for place in allowed)] == []
    assert list(home.iterdir()) == []
    assert snapshot(image) == before
