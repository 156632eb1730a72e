"""Creates the secrets of compose.yaml as files: run ``python -m deploy.compose.create_secrets FOLDER``. Needs Python alone."""

import hashlib
import secrets
import sys
from pathlib import Path
from typing import Final

# A mounted file keeps its owner, and each container runs as a user of its own, so that the files must be readable to all. The
# folder is not: on the host it keeps everybody but its owner out.
FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o644
# The file with the secret of each API key of the stack, and the key's name and role.
API_KEYS: Final = {"admin_key": ("admin", "admin"), "page_key": ("page", "read"), "metrics_key": ("prometheus", "read")}


def new_secret() -> str:
    """256 random bits in hexadecimal digits."""
    return secrets.token_hex(32)


def create_secrets(folder: Path) -> list[str]:
    """Create the files that are missing, and return their names; existing files stay as they are.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    folder.chmod(FOLDER_MODE)
    created: list[str] = []

    def text_of(name: str, new: str) -> str:
        file = folder / name
        if not file.exists():
            file.touch(FILE_MODE)
            file.chmod(FILE_MODE)  # whatever the umask
            file.write_text(f"{new}\n", encoding="ascii")
            created.append(name)
        return file.read_text(encoding="ascii").strip()

    password = text_of("gallery_password", new_secret())
    text_of("gallery_url", f"postgresql://gallery:{password}@database/gallery")
    text_of("grafana_password", new_secret())
    keys = {name: text_of(name, new_secret()) for name in API_KEYS}
    lines = [f"{owner} {role} {hashlib.sha256(keys[name].encode()).hexdigest()}" for name, (owner, role) in API_KEYS.items()]
    text_of("api_keys", "\n".join(lines))
    return created


def main() -> None:
    """Create the secrets in the folder that the command line names."""
    folder = Path(sys.argv[1])
    if created := create_secrets(folder):
        sys.stdout.write(f"Created in {folder}: {', '.join(created)}\n")


if __name__ == "__main__":
    main()
