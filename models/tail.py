"""The end of a graph: logits are wanted, and many files end in the softmax that the service applies itself."""

from typing import Final

import onnx

from models.batch import ONNX_DOMAINS
from models.graph import Ends
from models.trial import Refused

# What leaves scores as they are and only gives them another shape.
PASSING: Final = ("Identity", "Reshape", "Flatten", "Squeeze", "Dropout")


def cut_softmax(model: onnx.ModelProto, ends: Ends) -> str | None:
    """Take a Softmax or LogSoftmax at the end out of ``model``, in place; what remains are the logits it was given.

    Returns:
        Which of the two it was, or None. Whether the logits lead to the same answers is for a proof to show.

    Raises:
        Refused: the graph ends in a Sigmoid, whose answers do not exclude one another.
    """
    made_by = {name: node for node in model.graph.node for name in node.output}
    node = made_by.get(ends.output)
    while node is not None and node.op_type in PASSING and node.domain in ONNX_DOMAINS:
        node = made_by.get(node.input[0])
    if node is None or node.domain not in ONNX_DOMAINS:
        return None
    if node.op_type == "Sigmoid":
        raise Refused("ends in a Sigmoid, which answers every label by itself; a classifier chooses one: export its logits")
    if node.op_type not in ("Softmax", "LogSoftmax"):
        return None
    kind = str(node.op_type)
    node.op_type = "Identity"
    del node.attribute[:]
    return kind
