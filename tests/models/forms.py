"""Small classifiers with every usual form of input and output, the options that import them, and their answers by hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnx.external_data_helper import convert_model_to_external_data
from PIL import Image

from tests.models.graphs import node

Array = npt.NDArray[Any]
LABELS: Final = ["ant", "bee", "cat", "dog"]
MEAN: Final = (0.485, 0.456, 0.406)
STD: Final = (0.229, 0.224, 0.225)
RESAMPLING: Final = Image.Resampling
EXACT: Final = 1e-5
HALF: Final = 1e-2


def picture() -> Image.Image:
    """A picture in colour that is neither square nor symmetric, with a dark border."""
    rows, columns = np.mgrid[0:44, 0:60]
    levels = np.stack([columns * 4, rows * 5, (rows * columns) % 200], axis=-1).astype(np.uint8)
    levels[:2] = levels[-2:] = levels[:, :2] = levels[:, -2:] = 10
    return Image.fromarray(levels)


def png(image: Image.Image) -> bytes:
    """An encoded picture."""
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def grey(image: Image.Image, width: int, height: int, resampling: Image.Resampling = RESAMPLING.BOX) -> Array:
    """The whole picture as levels float32[H,W]."""
    return np.asarray(image.convert("L").resize((width, height), resampling), np.float32)


def colour(image: Image.Image, width: int, height: int, mode: str = "RGB") -> Array:
    """The whole picture as levels float32[H,W,C]."""
    return np.asarray(image.convert(mode).resize((width, height), RESAMPLING.BILINEAR), np.float32)


def softmax(logits: Array) -> Array:
    """Probabilities of logits float[N,K]."""
    shifted = np.exp(logits.astype(np.float64) - logits.max())
    return np.asarray(shifted / shifted.sum())


def sigmoid(logits: Array) -> Array:
    """A probability for each logit."""
    return np.asarray(1 / (1 + np.exp(-logits.astype(np.float64))))


def _unchanged(scores: Array) -> Array:
    return scores


@dataclass(frozen=True, slots=True)
class Form:
    """A classifier: its graph, the options of its import, its input of ``picture()`` and its probabilities by hand.

    ``read`` makes probabilities of ``output``. A model that is not ``batched`` takes one picture, without a batch.
    """

    name: str
    graph: onnx.ModelProto
    options: Sequence[str]
    prepare: Callable[[Image.Image], Array]
    read: Callable[[Array], Array] = softmax
    output: str = "y"
    labels: Sequence[str] = field(default_factory=lambda: LABELS)
    tolerance: float = EXACT
    external: bool = False
    fixed_batch: int | None = None
    batched: bool = True

    def save(self, folder: Path) -> Path:
        """Write the ONNX file, with its weights in a second file where ``external``."""
        path = folder / f"{self.name}.onnx"
        model = onnx.ModelProto()
        model.CopyFrom(self.graph)
        if self.external:
            convert_model_to_external_data(model, location=f"{self.name}.weights", size_threshold=0)
        onnx.save(model, path)
        return path

    def probabilities(self, path: Path, image: Image.Image) -> list[float]:
        """The answer of onnxruntime, called by hand."""
        options = ort.SessionOptions()
        options.log_severity_level = 4
        session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        prepared = self.prepare(image)
        scores = session.run([self.output], {session.get_inputs()[0].name: prepared[None] if self.batched else prepared})[0]
        probabilities: list[float] = self.read(np.asarray(scores).reshape(-1)).ravel().tolist()
        return probabilities


def graph(
    nodes: Sequence[onnx.NodeProto],
    constants: dict[str, Array],
    shape: Sequence[int | str | None],
    kind: int = TensorProto.FLOAT,
    outputs: Sequence[onnx.ValueInfoProto] = (),
    ir_version: int = 8,
) -> onnx.ModelProto:
    """A model with input ``x`` and output ``y``."""
    weights = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    source = helper.make_tensor_value_info("x", kind, list(shape))
    target = list(outputs) or [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", None])]
    inputs = [source]
    if ir_version < 4:
        inputs += [helper.make_tensor_value_info(one.name, one.data_type, list(one.dims)) for one in weights]
    made = helper.make_graph(list(nodes), "graph", inputs, target, weights)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(made, opset_imports=opsets, ir_version=ir_version)


def kernel(values: int, k: int = len(LABELS), scale: float = 1.0) -> Array:
    """Weights float32[values, k] that give logits of moderate size."""
    normal = np.random.default_rng(values + k).normal(size=(values, k))
    return np.asarray(normal * 3 / (np.sqrt(values) * scale), np.float32)


def linear(
    shape: Sequence[int | str | None],
    values: int,
    kind: int = TensorProto.FLOAT,
    scale: float = 1.0,
    ir_version: int = 8,
) -> onnx.ModelProto:
    """A linear classifier of any input; ``scale`` is what white is."""
    nodes = [node("Cast", "x", "f", to=TensorProto.FLOAT), node("Flatten", "f", "flat"), node("MatMul", "flat w", "y")]
    return graph(nodes, {"w": kernel(values, scale=scale)}, shape, kind, ir_version=ir_version)


def ending(nodes: Sequence[onnx.NodeProto], k: int = len(LABELS), **options: Any) -> onnx.ModelProto:
    """A classifier, by default grey and 8x8, whose logits go through further nodes."""
    shape = options.pop("shape", ("N", 1, 8, 8))
    constants = {"w": kernel(int(np.prod(shape[1:])), k), **options.pop("constants", {})}
    first = [node("Flatten", "x", "flat"), node("MatMul", "flat w", "z")]
    return graph([*first, *nodes], constants, shape, **options)


def unfreeable() -> onnx.ModelProto:
    """A classifier whose batch of 1 is squeezed away."""
    nodes = [
        node("Squeeze", "x", "s"),
        node("Reshape", "s dims", "r"),
        node("Reshape", "r flat", "f"),
        node("MatMul", "f w", "y"),
    ]
    return graph(nodes, {"w": kernel(64), "dims": np.array([64]), "flat": np.array([1, 64])}, (1, 1, 8, 8))


def fixed() -> onnx.ModelProto:
    """A classifier with a batch of 1 in its input and a Reshape."""
    nodes = [node("Reshape", "x flat", "f"), node("MatMul", "f w", "y")]
    return graph(nodes, {"w": kernel(64), "flat": np.array([1, 64])}, (1, 1, 8, 8))


def zip_map() -> onnx.ModelProto:
    """A model as of scikit-learn: a label, and a mapping from labels to probabilities."""
    mapping = helper.make_map_type_proto(TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.INT64, ["N"]),
        helper.make_value_info("y", helper.make_sequence_type_proto(mapping)),
    ]
    nodes = [
        node("Softmax", "z", "p"),
        node("ArgMax", "p", "label", axis=1, keepdims=0),
        node("ZipMap", "p", "y", domain="ai.onnx.ml", classlabels_strings=LABELS),
    ]
    return ending(nodes, outputs=outputs)


def label_and_scores() -> onnx.ModelProto:
    """A model as of scikit-learn without a ZipMap: its labels are a constant from which the label is taken."""
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.STRING, ["N"]),
        helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4]),
    ]
    nodes = [
        node("Softmax", "z", "y"),
        node("ArgMax", "y", "best", axis=1, keepdims=0),
        node("ArrayFeatureExtractor", "names best", "found", domain="ai.onnx.ml"),
        node("Reshape", "found all", "label"),
    ]
    constants = {"names": np.array([name.encode() for name in LABELS], dtype=object), "all": np.array([-1])}
    return ending(nodes, outputs=outputs, constants=constants)


def with_features() -> onnx.ModelProto:
    """A model that returns its features as well, before the scores."""
    outputs = [
        helper.make_tensor_value_info("flat", TensorProto.FLOAT, ["N", 64]),
        helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4]),
    ]
    return ending([node("Identity", "z", "y")], outputs=outputs)


def twice_the_same_output() -> onnx.ModelProto:
    made = ending([node("Identity", "z", "y")])
    made.graph.output.append(made.graph.output[0])
    return made


def with_metadata() -> onnx.ModelProto:
    """A model whose labels are in its metadata, as Ultralytics writes them."""
    made = ending([node("Softmax", "z", "y")])
    helper.set_model_props(made, {"names": "{0: 'ant', 1: 'bee', 2: 'cat', 3: 'dog'}", "task": "classify"})
    return made


def one_picture(*shape: int) -> onnx.ModelProto:
    """A classifier of one picture: its input and output have no batch."""
    values = int(np.prod(shape))
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])]
    nodes = [node("Reshape", "x row", "r"), node("MatMul", "r w", "y")]
    return graph(nodes, {"w": kernel(values), "row": np.array([values])}, shape, outputs=outputs)


def relu_and_mean() -> onnx.ModelProto:
    """A model that ends as SqueezeNet does: its logits are means of values that are not negative, many between 0 and 1."""
    weights = np.random.default_rng(1).normal(size=(4, 3, 3, 3)).astype(np.float32) / 4
    nodes = [node("Conv", "x k", "c"), node("Relu", "c", "r"), node("GlobalAveragePool", "r", "g"), node("Flatten", "g", "y")]
    return graph(nodes, {"k": weights}, ("N", 3, 16, 16))


def keras() -> onnx.ModelProto:
    """A network as tf2onnx writes one of Keras: channels last, transposed at once, and a softmax at the end."""
    first, last = "StatefulPartitionedCall/sequential/conv2d/", "StatefulPartitionedCall/sequential/dense/"
    nodes = [
        node("Transpose", "keras_tensor", f"{first}Conv2D__6:0", perm=[0, 3, 1, 2]),
        node("Conv", f"{first}Conv2D__6:0 {first}w {first}b", f"{first}BiasAdd:0", strides=[2, 2]),
        node("Relu", f"{first}BiasAdd:0", f"{first}Relu:0"),
        node("Transpose", f"{first}Relu:0", f"{first}Relu__14:0", perm=[0, 2, 3, 1]),
        node("Reshape", f"{first}Relu__14:0 shape__15", f"{last}Reshape:0"),
        node("MatMul", f"{last}Reshape:0 {last}w", f"{last}MatMul:0"),
        node("Add", f"{last}MatMul:0 {last}b", f"{last}BiasAdd:0"),
        node("Softmax", f"{last}BiasAdd:0", "dense"),
    ]
    generator = np.random.default_rng(2)
    constants = {
        f"{first}w": (generator.normal(size=(5, 3, 3, 3)) / 2000).astype(np.float32),
        f"{first}b": np.full(5, 0.1, np.float32),
        "shape__15": np.array([-1, 245]),
        f"{last}w": kernel(245),
        f"{last}b": np.full(4, 0.1, np.float32),
    }
    outputs = [helper.make_tensor_value_info("dense", TensorProto.FLOAT, ["unk__17", 4])]
    made = graph(nodes, constants, ("unk__16", 16, 16, 3), outputs=outputs)
    made.graph.input[0].name = "keras_tensor"
    return made


def halves() -> onnx.ModelProto:
    """A model of float16 from input to output, [N,K,1,1]."""
    nodes = [
        node("Conv", "x k", "c"),
        node("GlobalAveragePool", "c", "g"),
        node("Softmax", "g", "y", axis=1),
    ]
    weights = np.random.default_rng(1).normal(size=(4, 3, 5, 5)).astype(np.float16) / np.float16(200)
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT16, [1, 4, 1, 1])]
    return graph(nodes, {"k": weights}, (1, 3, 16, 16), TensorProto.FLOAT16, outputs)


def quantised() -> onnx.ModelProto:
    """A dynamically quantised model: the scale of its input is that of the whole batch."""
    nodes = [
        node("DynamicQuantizeLinear", "x", "q s o"),
        node("DequantizeLinear", "q s o", "d"),
        node("Flatten", "d", "f"),
        node("MatMul", "f w", "y"),
    ]
    return graph(nodes, {"w": kernel(64)}, ("N", 1, 8, 8))


def small(image: Image.Image) -> Array:
    """The input of a grey 8x8 model."""
    return grey(image, 8, 8)[None] / 255


NAMES: Final = ("--labels", ",".join(LABELS))
WHOLE: Final = (*NAMES, "--subject", "photo")
WITHOUT_LABELS: Final = ("--subject", "photo")
STATISTICS: Final = ("--mean", ",".join(map(str, MEAN)), "--std", ",".join(map(str, STD)))
AXES: Final = {"axes": np.array([1])}
FLOAT: Final = TensorProto.FLOAT


def _cropped(image: Image.Image) -> Array:
    """The shorter side of 44x60 to 16 pixels, and the middle cut."""
    scaled = image.convert("RGB").resize((21, 16), RESAMPLING.BILINEAR)
    levels = np.asarray(scaled.crop((2, 0, 18, 16)), np.float32) / 255
    return np.asarray(((levels - np.array(MEAN)) / np.array(STD)).transpose(2, 0, 1), np.float32)


def _padded(image: Image.Image) -> Array:
    """Scaled to the 20 columns of 20x20, with rows of 128 above and below."""
    frame = Image.new("L", (20, 20), 128)
    frame.paste(image.convert("L").resize((20, 15), RESAMPLING.BILINEAR), (0, 2))
    return np.asarray(frame, np.float32)[None] / 255


INPUTS: Final = [
    Form("nchw", linear(("N", 3, 16, 16), 768), (*NAMES, "--preset", "imagenet"), _cropped),
    Form(
        "nhwc",
        linear(("N", 20, 24, 3), 1440, scale=255),
        (*NAMES, "--preset", "keras"),
        lambda image: colour(image, 24, 20),
    ),
    Form("nhw", linear(("N", 12, 20), 240), WHOLE, lambda image: grey(image, 20, 12) / 255),
    Form("np", linear(("N", 784), 784), WHOLE, lambda image: grey(image, 28, 28).ravel() / 255),
    Form("np1", linear(("N", 25, 1), 25), WHOLE, lambda image: grey(image, 5, 5).reshape(25, 1) / 255),
    Form("flat-colour", linear(("N", 192), 192), WHOLE, lambda image: colour(image, 8, 8).ravel() / 255),
    Form(
        "bgr",
        linear(("N", 3, 8, 8), 192, scale=255),
        (*NAMES, "--colour", "BGR", "--scale", "255", "--mean", "103.939,116.779,123.68"),
        lambda image: (colour(image, 8, 8) - np.array([123.68, 116.779, 103.939], np.float32))[:, :, ::-1].transpose(2, 0, 1),
    ),
    Form(
        "keras",
        keras(),
        (*NAMES, "--preset", "keras"),
        lambda image: colour(image, 16, 16),
        _unchanged,
        output="dense",
    ),
    Form("one-row", one_picture(64), WHOLE, lambda i: grey(i, 8, 8).ravel() / 255, fixed_batch=1, batched=False),
    Form("one-plane", one_picture(12, 12), WHOLE, lambda i: grey(i, 12, 12) / 255, fixed_batch=1, batched=False),
    Form(
        "one-picture",
        one_picture(3, 8, 8),
        NAMES,
        lambda i: colour(i, 8, 8).transpose(2, 0, 1) / 255,
        fixed_batch=1,
        batched=False,
    ),
    Form(
        "one-picture-channels-last", one_picture(8, 8, 3), NAMES, lambda i: colour(i, 8, 8) / 255, fixed_batch=1, batched=False
    ),
    Form(
        "flat-planes",
        linear(("N", 192), 192),
        (*NAMES, "--layout", "NCHW"),
        lambda image: colour(image, 8, 8).transpose(2, 0, 1).ravel() / 255,
    ),
    Form("rgba", linear(("N", 8, 8, 4), 256), NAMES, lambda image: colour(image, 8, 8, "RGBA") / 255),
    Form(
        "float16",
        linear(("N", 3, 8, 8), 192, TensorProto.FLOAT16),
        NAMES,
        lambda image: (colour(image, 8, 8).transpose(2, 0, 1) / 255).astype(np.float16),
        tolerance=HALF,
    ),
    Form(
        "float64",
        linear(("N", 64), 64, TensorProto.DOUBLE, scale=16),
        (*WHOLE, "--scale", "16"),
        lambda image: (grey(image, 8, 8).ravel() / 255 * 16).astype(np.float64),
    ),
    Form(
        "uint8",
        linear(("N", 8, 8, 3), 192, TensorProto.UINT8, scale=255),
        NAMES,
        lambda image: colour(image, 8, 8).astype(np.uint8),
    ),
    Form(
        "int8",
        linear(("N", 8, 8, 3), 192, TensorProto.INT8, scale=255),
        NAMES,
        lambda image: (colour(image, 8, 8) - 128).astype(np.int8),
    ),
    Form(
        "int64",
        linear(("N", 1, 8, 8), 64, TensorProto.INT64, scale=255),
        WHOLE,
        lambda image: grey(image, 8, 8).astype(np.int64)[None],
    ),
    Form(
        "padded",
        linear(("N", 1, 20, 20), 400),
        (*WHOLE, "--fit", "pad", "--pad-level", "128", "--filter", "bilinear"),
        _padded,
    ),
    Form("transposed", linear(("N", 1, 8, 8), 64), (*WHOLE, "--transposed"), lambda image: grey(image, 8, 8).T[None] / 255),
    Form(
        "inverted",
        linear(("N", 1, 8, 8), 64),
        (*WHOLE, "--polarity", "dark_on_light"),
        lambda image: (255 - grey(image, 8, 8))[None] / 255,
    ),
    Form(
        "free-sides",
        linear((None, 3, "H", "W"), 192),
        (*NAMES, "--size", "8"),
        lambda i: colour(i, 8, 8).transpose(2, 0, 1) / 255,
    ),
    Form("old-weights", linear(("N", 1, 8, 8), 64, ir_version=3), WHOLE, small),
    Form("fixed-batch", fixed(), WHOLE, small),
    Form("unfreeable-batch", unfreeable(), WHOLE, small, fixed_batch=1),
    Form("quantised", quantised(), WHOLE, small, fixed_batch=1),
    Form("external", ending([node("Identity", "z", "y")]), WHOLE, small, external=True),
]

OUTPUTS: Final = [
    Form("logits", ending([node("Identity", "z", "y")]), WHOLE, small),
    Form("softmax", ending([node("Softmax", "z", "y")]), WHOLE, small, _unchanged),
    Form("log-softmax", ending([node("LogSoftmax", "z", "y")]), WHOLE, small, np.exp),
    Form(
        "own-softmax",
        ending([node("Exp", "z", "e"), node("ReduceSum", "e axes", "s"), node("Div", "e s", "y")], constants=AXES),
        WHOLE,
        small,
        _unchanged,
    ),
    Form(
        "own-log-softmax",
        ending([node("ReduceLogSumExp", "z", "s", axes=[1], keepdims=1), node("Sub", "z s", "y")]),
        WHOLE,
        small,
        np.exp,
    ),
    Form("sigmoids", ending([node("Sigmoid", "z", "y")]), WHOLE, small, _unchanged),
    Form(
        "own-sigmoids",
        ending(
            [node("Neg", "z", "n"), node("Exp", "n", "e"), node("Add", "e one", "d"), node("Reciprocal", "d", "y")],
            constants={"one": np.array([1], np.float32)},
        ),
        WHOLE,
        small,
        _unchanged,
    ),
    Form("relu-and-mean", relu_and_mean(), NAMES, lambda image: colour(image, 16, 16).transpose(2, 0, 1) / 255),
    Form(
        "levels",
        ending(
            [node("Softmax", "z", "p"), node("QuantizeLinear", "p s zero", "y")],
            constants={"s": np.array(1 / 256, np.float32), "zero": np.array(0, np.uint8)},
            outputs=[helper.make_tensor_value_info("y", TensorProto.UINT8, ["N", 4])],
        ),
        WHOLE,
        small,
        lambda levels: levels / levels.sum(),
    ),
    Form("numbers", ending([node("Identity", "z", "y")]), WITHOUT_LABELS, small, labels=["0", "1", "2", "3"]),
    Form("multi-label", ending([node("Identity", "z", "y")]), (*WHOLE, "--multi-label"), small, sigmoid),
    Form(
        "one-sigmoid",
        ending([node("Sigmoid", "z", "y")], k=1),
        ("--labels", "no,yes", "--subject", "photo"),
        small,
        lambda scores: np.concatenate([1 - scores, scores]),
        labels=("no", "yes"),
    ),
    Form(
        "one-logit",
        ending([node("Identity", "z", "y")], k=1),
        ("--labels", "no,yes", "--subject", "photo"),
        small,
        lambda scores: np.concatenate([1 - sigmoid(scores), sigmoid(scores)]),
        labels=("no", "yes"),
    ),
    Form("four-axes", ending([node("Unsqueeze", "z axes", "y")], constants={"axes": np.array([2, 3])}), WHOLE, small),
    Form(
        "halves",
        halves(),
        NAMES,
        lambda image: (colour(image, 16, 16).transpose(2, 0, 1) / 255).astype(np.float16),
        _unchanged,
        tolerance=HALF,
    ),
    Form("label-and-scores", label_and_scores(), WITHOUT_LABELS, small, _unchanged),
    Form("features", with_features(), WHOLE, small),
    Form("named", with_features(), (*WHOLE, "--output", "y"), small),
    Form("same-output-twice", twice_the_same_output(), WHOLE, small),
    Form("metadata", with_metadata(), WITHOUT_LABELS, small, _unchanged),
    Form("zip-map", zip_map(), WITHOUT_LABELS, small, lambda scores: np.array([scores[0][name] for name in LABELS])),
]
FORMS: Final = [*INPUTS, *OUTPUTS]
