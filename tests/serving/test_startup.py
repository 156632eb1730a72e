import shutil
from pathlib import Path

import pytest
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml._internal.models import ModelStore
from bentoml._internal.server.http.traffic import TimeoutMiddleware
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

from gallery import MAX_BYTES
from models.card import CARD_FILE, MODEL_FILE, file_sha256, read_card, write_card
from serving.bento.compat import disable_middleware
from serving.process.workers import RUNTIME_FOLDER, SHARED, Process, WorkerTable, worker_slots
from serving.registry.model_set import model_set_in_service
from serving.settings import Settings, available_cpus
from serving.startup import check_api_keys, join_workers, load_settings
from tests.models.catalogues import add_cascade, add_model, models
from tests.support.processes import refused_start

pytestmark = pytest.mark.slow

BAD_ORIGINS = ["*", "friend.example", "https://friend.example/page", "https://friend.example https://*.friend.example"]
BAD_VALUES = [
    ("PORT", "0"),
    ("PORT", "http"),
    ("MAX_BATCH_SIZE", "-1"),
    ("DEVICE", "tpu"),
    *(("CORS_ORIGINS", origins) for origins in BAD_ORIGINS),
]


def test_the_gallery_has_its_default_size() -> None:
    """The number is written twice, so that reading the settings loads no database library."""
    assert Settings().gallery_max_bytes == MAX_BYTES


def test_workers_default_to_the_cpus() -> None:
    assert Settings().workers == available_cpus()


@pytest.mark.parametrize(("name", "value"), BAD_VALUES)
def test_a_bad_value_stops_the_start_and_names_the_field(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stopped:
        load_settings()
    assert stopped.value.code == 2
    assert f"Setting {name}" in (said := capsys.readouterr().err)
    assert "is not valid" in said


def test_settings_come_from_secret_files_unless_the_environment_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))
    (tmp_path / "gallery_url").write_text("postgresql://gallery:secret@database/gallery\n", encoding="utf-8")
    (tmp_path / "rate_limit").write_text("60\n", encoding="utf-8")
    monkeypatch.setenv("RATE_LIMIT", "70")
    monkeypatch.setenv("GALLERY_URL", "")  # counts as not set
    settings = load_settings()
    assert settings.gallery_url == "postgresql://gallery:secret@database/gallery"
    assert settings.rate_limit == 70


def test_a_bad_secret_stops_the_start_and_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))
    (tmp_path / "gallery_url").write_text("mysql://gallery:secret@database/gallery", encoding="utf-8")
    with pytest.raises(SystemExit) as stopped:
        load_settings()
    assert stopped.value.code == 2
    assert "Setting GALLERY_URL is not valid" in (said := capsys.readouterr().err)
    assert "secret" not in said


def test_a_folder_of_secrets_that_does_not_exist_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path / "none"))
    with pytest.raises(SystemExit) as stopped:
        load_settings()
    assert stopped.value.code == 2
    assert "Setting SECRETS_DIR=" in capsys.readouterr().err


def test_keys_that_cannot_be_used_stop_the_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(settings: Settings) -> str:
        with pytest.raises(SystemExit) as stopped:
            check_api_keys(settings)
        assert stopped.value.code == 2
        return capsys.readouterr().err

    file = tmp_path / "keys"
    assert f"The API keys in {file} cannot be read" in said(Settings(api_keys_file=file))
    file.write_text("page read secret\n", encoding="utf-8")
    assert f"{file}, line 1: not `NAME read|admin SHA256`" in said(Settings(api_keys_file=file))
    assert "Set API_KEYS_FILE too" in said(Settings(rate_limit=60))


def test_models_that_were_not_imported_stop_the_start(tmp_path: Path) -> None:
    assert "python -m models import" in refused_start(tmp_path)


def test_a_default_model_that_is_not_there_stops_the_start(
    model_store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "DEFAULT_MODEL='nobody' is not in the catalogue" in refused_start(model_store, DEFAULT_MODEL="nobody")
    for catalogue in (tmp_path, tmp_path / "nowhere"):
        assert "It holds no card.yaml." in refused_models(model_store, capsys, catalogue=catalogue)


def test_a_cascade_without_one_of_its_models_stops_the_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    catalogue = tmp_path / "catalogue"
    add_model(catalogue, "category", ["digit", "drawing"])
    add_model(catalogue, "digits", ["0", "1"])
    add_cascade(catalogue, "characters", "category:1.0.0", {"digit": "digits:1.0.0"}, ["0", "1", "drawing"])
    assert models(tmp_path, "import", catalogue=catalogue).returncode == 0
    (catalogue / "digits" / CARD_FILE).unlink()
    said = refused_models(tmp_path, capsys, catalogue=catalogue, default_model="category")
    assert said == "characters:1.0.0 needs digits:1.0.0, which the catalogue does not hold.\n"


def test_wrong_golden_output_stops_the_start(marks: Path, tmp_path: Path) -> None:
    stored = copy_of(marks, tmp_path)
    card = read_card(stored / CARD_FILE)
    write_card(card.model_copy(update={"known_answer": {"a": 100.0}}), stored / CARD_FILE)
    said = refused_start(tmp_path, CATALOGUE=str(tmp_path / "catalogue"), DEFAULT_MODEL="marks")
    assert said.startswith("marks:1.0.0 returns a ")
    assert said.endswith("; its card says a 100.000.\n")


def test_invalid_model_file_stops_the_start(marks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored = copy_of(marks, tmp_path)
    (stored / MODEL_FILE).write_bytes((stored / MODEL_FILE).read_bytes()[:100])
    card = read_card(stored / CARD_FILE)
    write_card(card.model_copy(update={"sha256": file_sha256(stored / MODEL_FILE)}), stored / CARD_FILE)
    said = refused_models(tmp_path, capsys, catalogue=tmp_path / "catalogue", default_model="marks")
    assert said.startswith("marks:1.0.0 cannot be loaded: ")


@pytest.fixture(scope="module")
def marks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model store and a catalogue with one model."""
    home = tmp_path_factory.mktemp("marks")
    add_model(home / "catalogue", "marks", ["a", "b"])
    assert models(home, "import", catalogue=home / "catalogue").returncode == 0
    return home


def copy_of(marks: Path, home: Path) -> Path:
    """Where the model lies in a copy of the store."""
    shutil.copytree(marks, home, dirs_exist_ok=True)
    return home / "models" / "marks" / "1.0.0"


def refused_models(home: Path, capsys: pytest.CaptureFixture[str], **settings: object) -> str:
    """The one line with which the choice of the models ends a start with status 2, in this process."""
    BentoMLContainer.model_store.set(ModelStore(home / "models"))
    try:
        with pytest.raises(SystemExit) as stopped:
            model_set_in_service(Settings.model_validate(settings))
    finally:
        BentoMLContainer.model_store.reset()
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1, said
    return said


def test_bentomls_opentelemetry_middleware_passes_requests_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for middleware in (OpenTelemetryMiddleware, TimeoutMiddleware):
        monkeypatch.setattr(middleware, "__call__", middleware.__call__)
    seen = OpenTelemetryMiddleware.__call__
    disable_middleware()
    assert OpenTelemetryMiddleware.__call__ is not seen


def test_worker_removes_its_dead_predecessor_from_the_gauges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of its own service alone: the runner has a slot 0 of its own."""
    metrics = tmp_path / "metrics"
    for folder in (metrics, tmp_path / SHARED):
        folder.mkdir()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(metrics))
    monkeypatch.setenv(RUNTIME_FOLDER, str(tmp_path))
    for service, pid in (("api", 2**22 + 1), ("runner", 2**22 + 2)):
        WorkerTable(tmp_path / SHARED / f"{service}.workers", worker_slots(1), 0, Process(pid, 1)).join()
        for kind in ("gauge_livesum", "gauge_livemax", "counter"):
            (metrics / f"{kind}_{pid}.db").touch()
    for _ in range(2):  # the second time it finds itself
        assert join_workers("api", 1).living() == [0]
    left = {path.stem for path in metrics.iterdir()}
    assert left == {f"counter_{2**22 + 1}", *(f"{kind}_{2**22 + 2}" for kind in ("gauge_livesum", "gauge_livemax", "counter"))}
