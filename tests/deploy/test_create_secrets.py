import stat
from pathlib import Path

from deploy.compose.create_secrets import create_secrets
from serving.middleware.api_keys import find, read_keys, warnings


def test_secrets_are_created_once_in_a_private_folder(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    created = create_secrets(folder)
    assert sorted(created) == sorted(file.name for file in folder.iterdir())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    texts = {file.name: file.read_text(encoding="ascii") for file in folder.iterdir()}
    (folder / "grafana_password").unlink()
    assert create_secrets(folder) == ["grafana_password"]
    del texts["grafana_password"]
    assert {name: (folder / name).read_text(encoding="ascii") for name in texts} == texts


def test_service_accepts_the_created_keys(tmp_path: Path) -> None:
    create_secrets(tmp_path)
    keys = read_keys(tmp_path / "api_keys")
    assert warnings(tmp_path / "api_keys", keys) == []
    for file, role in (("admin_key", "admin"), ("page_key", "read"), ("metrics_key", "read")):
        key = find(keys, (tmp_path / file).read_text(encoding="ascii").strip().encode())
        assert key is not None and key.role == role


def test_gallery_url_has_the_password_of_the_database(tmp_path: Path) -> None:
    create_secrets(tmp_path)
    password = (tmp_path / "gallery_password").read_text(encoding="ascii").strip()
    assert f":{password}@" in (tmp_path / "gallery_url").read_text(encoding="ascii")
    assert len(password) == 64
