"""The command line of deploy.bulk: what it refuses, and the RayJob that runs it."""

import importlib.util
import shlex
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deploy.bulk import __main__ as command
from deploy.requirements import FOLDER, read_lock
from tests.support.processes import ROOT

JOB = ROOT / "deploy" / "bulk" / "rayjob.yaml"
VERSIONS = ("1.30", "1.34", "1.37")


@pytest.fixture(autouse=True)
def ray_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refused here is refused before Ray is loaded, so that it need not be there."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: ModuleSpec(name, None))


@pytest.mark.parametrize(
    ("source", "model", "reason"),
    [
        ("nothing", "digits", "does not exist. Give a folder, a ZIP archive or a Parquet file."),
        (".", "nothing", "Unknown model 'nothing'. The catalogue at"),
    ],
)
def test_unusable_argument_is_refused_in_one_line(
    source: str, model: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures, output = tmp_path / "pictures", tmp_path / "out"
    pictures.mkdir()
    assert command.main([str(pictures / source), str(output), "--model", model]) == 2
    printed = capsys.readouterr().err
    assert reason in printed and printed.count("\n") == 1
    assert not output.exists()


def test_results_in_the_input_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(tmp_path), str(tmp_path / "out"), "--model", "digits"]) == 2
    assert "lies in INPUT" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["--workers=0", "--batch-size=-1", "--batch-mib=0"])
def test_number_below_one_is_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main(["in", "out", "--model", "digits", option])
    assert "is less than 1" in capsys.readouterr().err


def documents() -> dict[str, Any]:
    return {document["kind"]: document for document in yaml.safe_load_all(JOB.read_text(encoding="utf-8"))}


def pods() -> list[dict[str, Any]]:
    cluster = documents()["RayJob"]["spec"]["rayClusterSpec"]
    return [cluster["headGroupSpec"]["template"], *(group["template"] for group in cluster["workerGroupSpecs"])]


def test_rayjob_runs_the_command_on_a_volume_that_every_pod_mounts() -> None:
    python, *arguments = shlex.split(documents()["RayJob"]["spec"]["entrypoint"])
    assert [python, *arguments[:2]] == ["python", "-m", "deploy.bulk"]
    options = command._parser().parse_args(arguments[2:])
    assert options.address == "auto"
    claim = documents()["PersistentVolumeClaim"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    for pod in pods():
        (container,) = pod["spec"]["containers"]
        names = [v["name"] for v in pod["spec"]["volumes"] if "persistentVolumeClaim" in v]
        (mount,) = [each for each in container["volumeMounts"] if each["name"] in names]
        assert options.input.is_relative_to(mount["mountPath"]) and options.output.is_relative_to(mount["mountPath"])


def test_rayjob_and_its_image_have_the_locked_version_of_ray() -> None:
    (ray,) = [entry for entry in read_lock(FOLDER / "bulk.txt") if entry.requirement.name == "ray"]
    assert documents()["RayJob"]["spec"]["rayClusterSpec"]["rayVersion"] == ray.version
    assert f"FROM rayproject/ray:{ray.version}-" in (JOB.parent / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("version", VERSIONS)
def test_pods_claim_and_policy_of_the_rayjob_are_valid(version: str) -> None:
    kinds = documents()
    assert set(kinds) == {"RayJob", "PersistentVolumeClaim", "NetworkPolicy"}
    for pod in pods():
        whole = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "ray", **pod["metadata"]}, "spec": pod["spec"]}
        kubernetes_validate.validate(whole, version, strict=True)
    for kind in ("PersistentVolumeClaim", "NetworkPolicy"):
        kubernetes_validate.validate(kinds[kind], version, strict=True)


def test_only_pods_of_the_job_and_the_operator_reach_ray() -> None:
    policy = documents()["NetworkPolicy"]["spec"]
    for pod in pods():
        assert policy["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    (rule,) = policy["ingress"]
    assert [source["podSelector"]["matchLabels"] for source in rule["from"]] == [
        policy["podSelector"]["matchLabels"],
        {"app.kubernetes.io/name": "kuberay"},
    ]
