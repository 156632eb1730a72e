"""Reading and validating ONNX files without running them."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper
from onnx.external_data_helper import convert_model_to_external_data, set_external_data

from models import verification
from models.graph import dimensions, producer_before, read_graph, read_inputs
from models.sandbox import InvalidModel
from tests.models.graphs import fixed, linear, model, node, weights


def written(folder: Path, graph: onnx.ModelProto) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(graph.SerializeToString())
    return path


def with_external(location: str, **fields: int) -> onnx.ModelProto:
    """A classifier whose weights are external data at ``location``."""
    graph = linear()
    (tensor,) = graph.graph.initializer
    set_external_data(tensor, location, **fields)
    tensor.ClearField("raw_data")
    return graph


def test_complete_file_is_read_unchanged(tmp_path: Path) -> None:
    read, changes = read_graph(written(tmp_path, linear()))
    assert (read, changes) == (linear(), [])


@pytest.mark.parametrize("content", [b"", b"not onnx", b"\x00" * 100, b"\xff" * 100, b"PK\x03\x04"])
def test_file_that_is_not_onnx_is_rejected(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(InvalidModel, match="is not an ONNX file"):
        read_graph(path)


WHOLE = fixed().SerializeToString()
AFTER_GRAPH = sum(one.ByteSize() + 2 for one in fixed().opset_import)


@given(st.integers(0, len(WHOLE) - AFTER_GRAPH - 1))
def test_truncated_file_is_rejected(tmp_path_factory: pytest.TempPathFactory, length: int) -> None:
    path = tmp_path_factory.getbasetemp() / "truncated.onnx"
    path.write_bytes(WHOLE[:length])
    with pytest.raises(InvalidModel, match="is not an ONNX file"):
        read_graph(path)


def test_external_data_in_the_same_folder_is_embedded(tmp_path: Path) -> None:
    graph = linear()
    convert_model_to_external_data(graph, location="weights.bin", size_threshold=0)
    onnx.save(graph, tmp_path / "model.onnx")
    read, changes = read_graph(tmp_path / "model.onnx")
    assert changes == ["external data embedded"]
    assert read.graph.initializer[0].raw_data == weights().tobytes()
    assert not read.graph.initializer[0].external_data


def test_external_data_in_a_subfolder_is_embedded(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "w").write_bytes(b"\x00" * 5 + weights().tobytes())
    read, _ = read_graph(written(tmp_path, with_external("data/w", offset=5)))
    assert read.graph.initializer[0].raw_data == weights().tobytes()


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("../secret", "outside of its own folder"),
        ("data/../../secret", "outside of its own folder"),
        ("..\\secret", "outside of its own folder"),
        ("{outside}/secret", "outside of its own folder"),
        ("C:\\secret", "outside of its own folder"),
        ("link", "a link that leads outside"),
        ("linked/secret", "a link that leads outside"),
        ("ring", "missing"),
        ("nothing", "missing"),
        ("zero\x00byte", "missing"),
        ("*/_ORT_MEM_ADDR_/*", "missing"),
        ("", "not a file"),
        (".", "not a file"),
    ],
)
def test_external_data_outside_the_folder_is_rejected(tmp_path: Path, location: str, reason: str) -> None:
    (tmp_path / "secret").write_bytes(weights().tobytes())
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "linked").symlink_to(tmp_path)
    (folder / "ring").symlink_to(folder / "ring")
    with pytest.raises(InvalidModel, match=reason):
        read_graph(written(folder, with_external(location.format(outside=tmp_path))))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"offset": 4}, "but the file is shorter"),
        ({"length": 3}, "has 1,024 bytes, but 3"),
        ({"offset": -1}, "has the offset '-1'"),
        ({"length": 10**30}, "has the length"),
    ],
)
def test_external_data_must_match_its_tensor(tmp_path: Path, fields: dict[str, int], reason: str) -> None:
    (tmp_path / "w").write_bytes(weights().tobytes())
    with pytest.raises(InvalidModel, match=reason):
        read_graph(written(tmp_path, with_external("w", **fields)))


def test_external_data_over_the_limit_is_not_read(tmp_path: Path) -> None:
    graph = with_external("w")
    graph.graph.initializer[0].dims[:] = [10**6, 10**6]
    (tmp_path / "w").write_bytes(b"")
    with pytest.raises(InvalidModel, match="has more than"):
        read_graph(written(tmp_path, graph))


def in_branch(inner: onnx.NodeProto) -> onnx.ModelProto:
    """A classifier with a node inside a branch of an If."""
    branch = helper.make_graph([inner], "branch", [], [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)])
    nodes = [
        node("Flatten", "x", "flat"),
        node("MatMul", "flat w", "logits"),
        helper.make_node("If", ["yes"], ["y"], then_branch=branch, else_branch=branch),
    ]
    return model(nodes, {"w": weights(), "yes": np.array(True)}, domains=["secret.ops"])


def test_external_data_in_a_subgraph_is_checked(tmp_path: Path) -> None:
    value = with_external("../secret").graph.initializer[0]
    with pytest.raises(InvalidModel, match="outside of its own folder"):
        read_graph(written(tmp_path, in_branch(node("Constant", "", "z", value=value))))


def test_custom_operators_in_a_subgraph_are_rejected(tmp_path: Path) -> None:
    foreign = node("Steal", "logits", "z", domain="secret.ops")
    with pytest.raises(InvalidModel, match=r"not part of ONNX Runtime: secret\.ops\.Steal"):
        read_graph(written(tmp_path, in_branch(foreign)))


def test_local_functions_are_inlined(tmp_path: Path) -> None:
    graph = model([node("Score", "x w", "y", domain="own")], {"w": weights()}, domains=["own"])
    body = [node("Flatten", "a", "flat"), node("MatMul", "flat b", "c")]
    graph.functions.append(helper.make_function("own", "Score", ["a", "b"], ["c"], body, [helper.make_opsetid("", 17)]))
    read, changes = read_graph(written(tmp_path, graph))
    assert [one.op_type for one in read.graph.node] == ["Flatten", "MatMul"]
    assert changes == ["functions inlined"]


def test_what_exporters_write_and_onnxruntime_refuses_is_repaired(tmp_path: Path) -> None:
    graph = linear()
    for one in graph.graph.node:
        one.name = "same"
    graph.graph.input.append(helper.make_tensor_value_info("is_training", TensorProto.BOOL, []))
    graph.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 0
    read, changes = read_graph(written(tmp_path, graph))
    assert changes == [
        "names of nodes, which occur twice, removed",
        "inputs that nothing reads removed: is_training",
        "dimensions of 0 in x made dynamic",
    ]
    assert [value.name for value in read_inputs(read)] == ["x"]
    assert dimensions(read.graph.input[0])[1:] == [1, 8, 8]  # type: ignore[index]
    assert not read.graph.input[0].type.tensor_type.shape.dim[0].HasField("dim_value")
    verification.open_session(read)


def test_search_in_a_circle_of_nodes_ends() -> None:
    circle = model([node("Identity", "a", "b"), node("Identity", "b", "a")], {})
    assert producer_before(circle.graph, "a", ("Identity",)) is None


@pytest.mark.parametrize("dims", [[2**40], [-1], [2**20, 2**20]])
def test_tensor_with_an_impossible_shape_is_rejected(tmp_path: Path, dims: list[int]) -> None:
    graph = linear()
    graph.graph.initializer[0].dims[:] = dims
    with pytest.raises(InvalidModel, match="has the shape"):
        read_graph(written(tmp_path, graph))
