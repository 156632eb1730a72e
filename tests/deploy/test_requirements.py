"""The lock files: every package has one version and hashes, and none names an index."""

import re
from pathlib import Path

import pytest
from packaging.requirements import InvalidRequirement

from deploy.requirements import FOLDER, LockedPackage, lock_file, read_lock
from tests.support.processes import ROOT

LOCKED = ["base", "bento", "bulk", "dev", "gpu", "peers", "ui"]
SHA256 = re.compile(r"sha256:[0-9a-f]{64}")


def entries(group: str) -> list[LockedPackage]:
    return list(read_lock(FOLDER / f"{group}.txt"))


def versions(group: str) -> set[tuple[str, str, str]]:
    """Name, version and marker of each entry."""
    return {(entry.requirement.name, entry.version, str(entry.requirement.marker or "")) for entry in entries(group)}


def test_lock_files_are_as_expected() -> None:
    assert sorted(file.stem for file in FOLDER.glob("*.txt")) == sorted([*LOCKED, "train"])


@pytest.mark.parametrize("group", LOCKED)
def test_every_package_has_one_version_and_its_hashes(group: str) -> None:
    assert len(entries(group)) > 50
    for entry in entries(group):
        assert entry.version, entry.requirement
        assert not entry.requirement.url, entry.requirement
        assert entry.hashes, entry.requirement
        assert all(SHA256.fullmatch(each) for each in entry.hashes), entry.requirement


def test_training_requirements_are_pinned() -> None:
    assert [entry.version for entry in entries("train")] != [""]


@pytest.mark.parametrize("group", [*LOCKED, "train"])
def test_no_lock_file_names_an_index(group: str) -> None:
    text = (FOLDER / f"{group}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"(?m)^\s*-", text.replace("\\\n", " "))


def test_tested_versions_are_served_versions() -> None:
    tested = {(name, version) for name, version, _ in versions("dev")}
    for group in ("base", "bento", "ui"):
        assert {(name, version) for name, version, _ in versions(group)} <= tested


def test_bulk_adds_ray_alone_to_the_tested_versions() -> None:
    tested = {(name, version) for name, version, _ in versions("dev")}
    assert {name for name, version, _ in versions("bulk") if (name, version) not in tested} == {"ray"}


def test_peers_do_not_change_the_tested_versions() -> None:
    found: dict[str, set[str]] = {}
    for name, version, _ in versions("dev") | versions("bulk"):
        found.setdefault(name, set()).add(version)
    for name, version, _ in versions("peers"):
        assert version in found.get(name, {version}), name


def test_both_bentos_are_built_from_lock_files() -> None:
    assert [lock_file(ROOT / name).name for name in ("bentofile.yaml", "bentofile.gpu.yaml")] == ["bento.txt", "gpu.txt"]


@pytest.mark.parametrize("line", ["--index-url https://index.example/simple", "-r other.txt", "-e .", "./wheels/a.whl"])
def test_line_that_is_no_requirement_is_rejected(line: str, tmp_path: Path) -> None:
    (tmp_path / "lock.txt").write_text(f"a==1 \\\n    --hash=sha256:{'0' * 64}\n    # via b\n{line}\n", encoding="utf-8")
    with pytest.raises(InvalidRequirement):
        list(read_lock(tmp_path / "lock.txt"))


@pytest.mark.parametrize(("line", "version"), [("a==1.0", "1.0"), ("a>=1.0", ""), ("a", ""), ("a>=1,==1.0", "")])
def test_version_is_empty_unless_exactly_one_is_pinned(line: str, version: str, tmp_path: Path) -> None:
    (tmp_path / "lock.txt").write_text(line, encoding="utf-8")
    (entry,) = read_lock(tmp_path / "lock.txt")
    assert entry.version == version
