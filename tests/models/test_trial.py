"""Unknown files in a process of their own: what is found, and what ends at a limit."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from models import examination
from models.card import CardError
from models.trial import Limits, Refused, examine
from tests.models.graphs import LABELS, SIZE, ending, fixed, linear, model, node, of_shape, weights, without_end


def written(folder: Path, graph: onnx.ModelProto) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(graph.SerializeToString())
    return path


def refusal(path: Path, limits: Limits | None = None) -> str:
    """Why a file is refused; it is named first."""
    with pytest.raises(CardError) as caught:
        examine(path, rewritten=path.with_name("rewritten.onnx"), limits=limits or Limits())
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text.removeprefix(f"{path}: ")


def test_what_needs_no_change_keeps_its_bytes(tmp_path: Path) -> None:
    path = written(tmp_path, linear())
    finding = examine(path, rewritten=tmp_path / "rewritten.onnx")
    assert (finding.labels, finding.channels, finding.size, finding.changes) == (LABELS, 1, SIZE, [])
    assert (tmp_path / "rewritten.onnx").read_bytes() == path.read_bytes()
    assert list(finding.milliseconds) == [1, 32]
    assert all(taken > 0 for taken in finding.milliseconds.values())


def test_what_has_to_be_changed_is_written_changed(tmp_path: Path) -> None:
    finding = examine(written(tmp_path, fixed()), rewritten=tmp_path / "rewritten.onnx")
    assert finding.changes == ["batch of 1 made free", "constant shapes of flat made free"]
    again = examine(tmp_path / "rewritten.onnx")
    assert again.changes == []


def test_what_has_to_be_changed_is_refused_where_it_may_not_be(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"cannot be served as it is .*batch of 1 made free"):
        examine(written(tmp_path, fixed()))


def test_logits_are_cut_out_of_a_fixed_batch(tmp_path: Path) -> None:
    graph = ending("Softmax")
    graph.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    finding = examine(written(tmp_path, graph), rewritten=tmp_path / "rewritten.onnx")
    assert finding.changes == ["Softmax at the end cut off", "batch of 1 made free"]


def test_a_tensor_of_a_terabyte_is_refused(tmp_path: Path) -> None:
    assert "asks for 4,000,000,000,000 bytes of memory" in refusal(written(tmp_path, of_shape(10**6, 10**6)))


def test_memory_is_limited_where_the_machine_has_it(tmp_path: Path) -> None:
    limits = Limits(memory_bytes=256 * 2**20)
    assert "asks for 400,000,000 bytes of memory" in refusal(written(tmp_path, of_shape(10**4, 10**4)), limits)


def test_a_loop_without_end_is_refused(tmp_path: Path) -> None:
    assert refusal(written(tmp_path, without_end()), Limits(cpu_seconds=2)) == "keeps the processor busy for more than 2 s"


def test_a_file_that_takes_too_long_is_refused(tmp_path: Path) -> None:
    assert refusal(written(tmp_path, without_end()), Limits(wall_seconds=2)) == "is not done within 2 s"


@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        (linear(opset=99), "wants opset 99; the installed onnxruntime .* knows up to"),
        (linear(ir_version=99), "cannot be loaded by onnxruntime: .*IR version"),
        (model([node("Cone", "x", "y")], {}), "cannot be loaded by onnxruntime: .*Cone"),
        (model([node("Log", "x", "l"), node("Flatten", "l", "y")], {}), "gives numbers that are not finite"),
        (model([node("Flatten", "x", "f"), node("MatMul", "f w", "y")], {"w": weights() * np.inf}), "not finite"),
        (model([node("Relu", "x", "y")], {}, answer=("N", 1, SIZE, SIZE)), "answers a batch of 1 with the shape"),
        (model([node("Flatten", "x", "f"), node("MatMul", "f w", "y")], {"w": weights() * 0}), "answers the same to 33"),
        (fixed(shape=[SIZE * SIZE, 1]), "cannot run a batch of 1|cannot be loaded"),
        (ending("Sigmoid"), "ends in a Sigmoid"),
        (fixed(shape=[1, 1, -1], opset=14), "answers a batch of 1 with the shape|cannot be loaded"),
    ],
)
def test_what_cannot_be_served_is_refused(tmp_path: Path, graph: onnx.ModelProto, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        examination.examine(written(tmp_path, graph), 0, 1, str(tmp_path / "rewritten.onnx"))
    assert not (tmp_path / "rewritten.onnx").exists()


def test_a_batch_that_stays_fixed_is_refused_with_the_reason(tmp_path: Path) -> None:
    nodes = [node("Squeeze", "x", "s"), node("Reshape", "s dims", "r"), node("Reshape", "r flat", "f")]
    nodes.append(node("MatMul", "f w", "y"))
    constants = {"dims": np.array([64]), "flat": np.array([1, 64]), "w": weights()}
    graph = model(nodes, constants, shape=(1, 1, SIZE, SIZE), answer=(1, LABELS))
    with pytest.raises(Refused, match="has a batch fixed at 1 that cannot be made free, so export it with a free one"):
        examination.examine(written(tmp_path, graph), 0, 1, str(tmp_path / "rewritten.onnx"))


def test_functions_that_call_themselves_are_refused(tmp_path: Path) -> None:
    graph = model([node("Again", "x", "y", domain="own")], {}, domains=["own"])
    opsets = [onnx.helper.make_opsetid("own", 1)]
    graph.functions.append(
        onnx.helper.make_function("own", "Again", ["a"], ["b"], [node("Again", "a", "b", domain="own")], opsets)
    )
    assert refusal(written(tmp_path, graph)).startswith("has functions that cannot be put in place")


def test_names_in_a_file_do_not_write_to_the_terminal(tmp_path: Path) -> None:
    graph = model([node("Relu", "x", "y")], {})
    graph.graph.node[0].op_type = "Relu\n\x1b[31m"
    assert r"Relu \x1b[31m" in refusal(written(tmp_path, graph))


@pytest.mark.parametrize("name", ["nothing.onnx", "."])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path / name) == "missing, or no file"


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(linear().SerializeToString()[:100])
    assert refusal(path) == "is not an ONNX file, or is truncated"
