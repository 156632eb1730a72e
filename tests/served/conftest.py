"""A model store with a cascade in it."""

from pathlib import Path

import pytest

from tests.models.catalogues import models
from tests.support.catalogues import write_catalogue


@pytest.fixture(scope="session")
def cascade_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BENTOML_HOME with the stand-in catalogue imported, which lies beside, in catalogue/."""
    home = tmp_path_factory.mktemp("cascades")
    write_catalogue(home / "catalogue")
    imported = models(home, "import", catalogue=home / "catalogue")
    assert imported.returncode == 0, imported.stderr
    return home
