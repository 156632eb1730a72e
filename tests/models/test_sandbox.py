"""Inspection of untrusted ONNX files in a sandbox: reports, rejections and limits."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from models import sandbox_worker
from models.card import CardError
from models.sandbox import Hints, InvalidModel, OutputHints, SandboxLimits, inspect_model
from tests.models.graphs import LABELS, SIZE, ending, filling, fixed, infinite_loop, linear, model, node, weights

pytestmark = pytest.mark.slow


def written(folder: Path, graph: onnx.ModelProto) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(graph.SerializeToString())
    return path


def rejection(path: Path, limits: SandboxLimits | None = None) -> str:
    """Why a file is rejected; the error begins with its name."""
    with pytest.raises(CardError) as caught:
        inspect_model(path, output=path.with_name("rewritten.onnx"), limits=limits or SandboxLimits())
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text.removeprefix(f"{path}: ")


def test_servable_file_is_copied_unchanged(tmp_path: Path) -> None:
    path = written(tmp_path, linear())
    report = inspect_model(path, output=tmp_path / "rewritten.onnx")
    assert (report.columns, report.input["height"], report.changes) == (LABELS, SIZE, [])
    assert (tmp_path / "rewritten.onnx").read_bytes() == path.read_bytes()
    assert list(report.latency_ms) == [1, 32]
    assert all(taken > 0 for taken in report.latency_ms.values())


def test_changed_model_is_written_to_output(tmp_path: Path) -> None:
    report = inspect_model(written(tmp_path, fixed()), output=tmp_path / "rewritten.onnx")
    assert report.changes == ["batch size of 1 made dynamic", "constant shapes of flat made dynamic"]
    again = inspect_model(tmp_path / "rewritten.onnx")
    assert again.changes == []


def test_file_that_needs_changes_is_rejected_without_output(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"cannot be served as it is .*batch size of 1 made dynamic"):
        inspect_model(written(tmp_path, fixed()))


def test_softmax_and_fixed_batch_are_both_changed(tmp_path: Path) -> None:
    graph = ending("Softmax")
    graph.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    report = inspect_model(written(tmp_path, graph), output=tmp_path / "rewritten.onnx")
    assert report.changes == ["Softmax at the end removed", "batch size of 1 made dynamic"]


def test_huge_tensor_is_rejected(tmp_path: Path) -> None:
    assert "asks for 4,000,000,000,000 bytes of memory" in rejection(written(tmp_path, filling(10**6, 10**6)))


def test_memory_limit_is_enforced(tmp_path: Path) -> None:
    limits = SandboxLimits(memory_bytes=256 * 2**20)
    assert "asks for 400,000,000 bytes of memory" in rejection(written(tmp_path, filling(10**4, 10**4)), limits)


def test_infinite_loop_hits_the_cpu_limit(tmp_path: Path) -> None:
    assert (
        rejection(written(tmp_path, infinite_loop()), SandboxLimits(cpu_seconds=2)) == "takes more than 2 s of processor time"
    )


def test_infinite_loop_hits_the_wall_clock_limit(tmp_path: Path) -> None:
    assert rejection(written(tmp_path, infinite_loop()), SandboxLimits(wall_seconds=2)) == "takes longer than 2 s to inspect"


@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        (linear(opset=99), "needs opset 99; the installed onnxruntime .* supports opsets up to"),
        (linear(ir_version=99), "cannot be loaded by onnxruntime: .*IR version"),
        (model([node("Cone", "x", "y")], {}), "uses the operator Cone, which the installed onnxruntime .* lacks"),
        (model([node("Log", "x", "l"), node("Flatten", "l", "y")], {}), "returns numbers that are not finite"),
        (model([node("Flatten", "x", "f"), node("MatMul", "f w", "y")], {"w": weights() * np.inf}), "not finite"),
        (model([node("Relu", "x", "y")], {}, answer=("N", 1, SIZE, SIZE)), r"has no class scores: .* y \(\[1, 1, 8, 8\]\)$"),
        (
            model([node("ArgMax", "x", "a", axis=1), node("Cast", "a", "y", to=1)], {}),
            "scores: .* Export it without the ArgMax",
        ),
        (
            model([node("Flatten", "x", "f"), node("TopK", "f three", "y best")], {"three": np.array([3])}),
            "has no class scores: .* Export it without the ArgMax or TopK",
        ),
        (
            model([node("Flatten", "x", "f"), node("MatMul", "f w", "y")], {"w": weights() * 0}),
            "returns the same output for 33",
        ),
        (fixed(shape=[SIZE * SIZE, 1]), "cannot run a batch of 1|cannot be loaded"),
    ],
)
def test_unservable_models_are_rejected(tmp_path: Path, graph: onnx.ModelProto, reason: str) -> None:
    with pytest.raises(InvalidModel, match=reason):
        sandbox_worker.inspect_model(written(tmp_path, graph), Hints(), str(tmp_path / "rewritten.onnx"))
    assert not (tmp_path / "rewritten.onnx").exists()


def unfreeable() -> onnx.ModelProto:
    """A classifier whose batch of 1 is squeezed away, and cannot come back in another size."""
    nodes = [node("Squeeze", "x", "s"), node("Reshape", "s dims", "r"), node("Reshape", "r flat", "f")]
    nodes.append(node("MatMul", "f w", "y"))
    constants = {"dims": np.array([64]), "flat": np.array([1, 64]), "w": weights()}
    return model(nodes, constants, shape=(1, 1, SIZE, SIZE), answer=(1, LABELS))


def test_batch_that_cannot_be_freed_stays_fixed(tmp_path: Path) -> None:
    report = inspect_model(written(tmp_path, unfreeable()), output=tmp_path / "rewritten.onnx")
    assert (report.fixed_batch, report.changes) == (1, [])
    assert inspect_model(tmp_path / "rewritten.onnx", Hints(fixed_batch=1)).golden_output == report.golden_output


def test_images_that_influence_each_other_are_computed_one_by_one(tmp_path: Path) -> None:
    """The scale of a dynamically quantised layer is that of the whole batch."""
    nodes = [
        node("DynamicQuantizeLinear", "x", "q s z"),
        node("DequantizeLinear", "q s z", "d"),
        node("Flatten", "d", "f"),
        node("MatMul", "f w", "y"),
    ]
    report = inspect_model(written(tmp_path, model(nodes, {"w": weights()})), output=tmp_path / "rewritten.onnx")
    assert (report.fixed_batch, report.changes) == (1, [])


def test_image_that_depends_on_its_copies_is_rejected(tmp_path: Path) -> None:
    nodes = [node("RandomNormalLike", "x", "r"), node("Flatten", "r", "f"), node("MatMul", "f w", "y")]
    assert "the images of a batch influence each other" in rejection(written(tmp_path, model(nodes, {"w": weights()})))


def two_outputs() -> onnx.ModelProto:
    graph = linear()
    graph.graph.node.append(node("Relu", "flat", "features"))
    graph.graph.output.insert(0, onnx.helper.make_tensor_value_info("features", onnx.TensorProto.FLOAT, ["N", SIZE * SIZE]))
    return graph


def test_output_that_fits_the_labels_is_used(tmp_path: Path) -> None:
    report = inspect_model(written(tmp_path, two_outputs()), Hints(labels=LABELS), output=tmp_path / "rewritten.onnx")
    assert report.changes == ["output y is used, features left out"]
    assert [value.name for value in onnx.load(tmp_path / "rewritten.onnx").graph.output] == ["y"]


def test_output_is_chosen_by_name(tmp_path: Path) -> None:
    hints = Hints(output=OutputHints(name="features"))
    report = inspect_model(written(tmp_path, two_outputs()), hints, output=tmp_path / "rewritten.onnx")
    assert report.columns == SIZE * SIZE
    unknown = Hints(output=OutputHints(name="z"))
    with pytest.raises(CardError, match="has no output 'z'; it has features, y"):
        inspect_model(tmp_path / "model.onnx", unknown, output=tmp_path / "rewritten.onnx")


def test_outputs_that_may_all_be_scores_are_listed(tmp_path: Path) -> None:
    assert "several outputs that may be the scores: features (64), y (4)" in rejection(written(tmp_path, two_outputs()))


def test_wrong_declared_output_shape_does_not_matter(tmp_path: Path) -> None:
    graph = linear()
    del graph.graph.output[0].type.tensor_type.shape.dim[:]
    for size in (1, LABELS + 1):
        graph.graph.output[0].type.tensor_type.shape.dim.add().dim_value = size
    graph.graph.output[0].type.tensor_type.shape.dim[1].dim_value = LABELS
    assert inspect_model(written(tmp_path, graph), output=tmp_path / "rewritten.onnx").columns == LABELS


def test_recursive_functions_are_rejected(tmp_path: Path) -> None:
    graph = model([node("Again", "x", "y", domain="own")], {}, domains=["own"])
    opsets = [onnx.helper.make_opsetid("own", 1)]
    graph.functions.append(
        onnx.helper.make_function("own", "Again", ["a"], ["b"], [node("Again", "a", "b", domain="own")], opsets)
    )
    assert rejection(written(tmp_path, graph)).startswith("has functions that cannot be inlined")


def test_control_characters_in_names_are_escaped(tmp_path: Path) -> None:
    graph = model([node("Relu", "x", "y")], {})
    graph.graph.node[0].op_type = "Relu\n\x1b[31m"
    assert r"Relu \x1b[31m" in rejection(written(tmp_path, graph))


@pytest.mark.parametrize("name", ["nothing.onnx", "."])
def test_missing_file_and_folder_are_rejected(tmp_path: Path, name: str) -> None:
    assert rejection(tmp_path / name) == "missing, or not a file"


def test_truncated_file_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(linear().SerializeToString()[:100])
    assert rejection(path) == "is not an ONNX file, or is truncated"
