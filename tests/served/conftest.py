"""A model store with a cascade in it, and a service that requires API keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models.catalogues import models
from tests.served.keyed import Keyed, start_keyed_service
from tests.support.catalogues import write_catalogue


@pytest.fixture(scope="session")
def cascade_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BENTOML_HOME with the stand-in catalogue imported, which lies beside, in catalogue/."""
    home = tmp_path_factory.mktemp("cascades")
    write_catalogue(home / "catalogue")
    imported = models(home, "import", catalogue=home / "catalogue")
    assert imported.returncode == 0, imported.stderr
    return home


@pytest.fixture(scope="package")
def keyed(model_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyed]:
    """The service of all files that need keys, which one process of the test run gets together."""
    with start_keyed_service(model_store, tmp_path_factory.mktemp("keys") / "keys") as keyed:
        yield keyed
