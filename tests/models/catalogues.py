"""Small models and cards in a temporary catalogue, and the command line on them."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import onnx
import pytest

from models.__main__ import main
from models.card import CARD_FILE, MODEL_FILE, CascadeCard, ModelCard, SequenceCard, file_sha256, write_card
from models.card_fields import Calibration, Provenance, Rejection
from preprocessing import Geometry, InputSpec
from tests.models.graphs import SIZE, linear
from tests.support.processes import ROOT


def models(home: Path, *arguments: str, catalogue: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run `python -m models` in a subprocess, with the model store in ``home``."""
    environment = {**os.environ, "BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True"}
    if catalogue:
        environment["CATALOGUE"] = str(catalogue)
    command = [sys.executable, "-m", "models", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def failing_command(*arguments: object, output: "pytest.CaptureFixture[str]") -> str:
    """Run ``python -m models`` in this process, which must fail with one line on standard error: the line."""
    output.readouterr()
    assert main([*map(str, arguments)]) == 1
    error = output.readouterr().err
    assert error.count("\n") == 1
    return error


def add_model(catalogue: Path, name: str, labels: Sequence[str], version: str = "1.0.0") -> ModelCard:
    """Add a linear classifier to a catalogue."""
    folder = catalogue / name
    folder.mkdir(parents=True)
    onnx.save(linear(len(labels)), folder / MODEL_FILE)
    card = ModelCard(
        name=name,
        version=version,
        title=name,
        task="classify",
        labels=list(labels),
        input=InputSpec(
            height=SIZE,
            width=SIZE,
            geometry=Geometry(fit_box=6, centring="mass", polarity="light_on_dark"),
        ),
        calibration=Calibration(temperature=1),
        rejection=Rejection(score="max_softmax", threshold=0),
        metrics=[],
        provenance=provenance(),
        licence="none",
        sha256=file_sha256(folder / MODEL_FILE),
    )
    write_card(card, folder / CARD_FILE)
    return card


def add_cascade(catalogue: Path, name: str, first: str, then: dict[str, str], labels: Sequence[str]) -> CascadeCard:
    """Add a cascade's card, valid or not, to a catalogue."""
    folder = catalogue / name
    folder.mkdir(parents=True)
    card = CascadeCard(
        name=name,
        version="1.0.0",
        title=name,
        task="cascade",
        labels=list(labels),
        first=first,
        then=then,
        metrics=[],
        provenance=provenance(),
        licence="none",
    )
    write_card(card, folder / CARD_FILE)
    return card


def add_sequence(catalogue: Path, name: str, reader: str, labels: Sequence[str]) -> SequenceCard:
    """Add the card of a sequence, valid or not, to a catalogue."""
    folder = catalogue / name
    folder.mkdir(parents=True)
    card = SequenceCard(
        name=name,
        version="1.0.0",
        title=name,
        task="sequence",
        labels=list(labels),
        reader=reader,
        metrics=[],
        provenance=provenance(),
        licence="none",
    )
    write_card(card, folder / CARD_FILE)
    return card


def provenance() -> Provenance:
    return Provenance(data=["random weights"], recipe="tests", seed=0, revision="none")
