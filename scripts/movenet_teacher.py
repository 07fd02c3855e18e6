"""MoveNet as a teacher: squares of RGB bytes on stdin, keypoints on stdout.

    PYTHON movenet_teacher.py MODEL.json SIDE        (for ask_teachers.py, which starts it)

Answers with float32 (17, 3): x, y in px and a score. Runs in an environment with TensorFlow, which
has no reader for the graphs that TensorFlow.js reads: this one knows the operations of MoveNet's.
"""

import base64
import json
import sys
from pathlib import Path


def main() -> int:
    """Answer until stdin ends."""
    import numpy as np
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    network, side = open_graph(Path(sys.argv[1])), int(sys.argv[2])
    while len(raw := sys.stdin.buffer.read(side * side * 3)) == side * side * 3:
        pixels = np.frombuffer(raw, np.uint8).reshape(1, side, side, 3)
        y, x, score = network(tf.constant(pixels, tf.int32)).numpy()[0, 0].T  # shares of the square
        sys.stdout.buffer.write(np.stack((x * side, y * side, score), 1).astype("<f4").tobytes())
        sys.stdout.buffer.flush()
    return 0


def open_graph(path):
    """The function of a TensorFlow.js graph with one input and one output."""
    import tensorflow as tf

    description = json.loads(path.read_text())
    weights = {name: tf.constant(array) for name, array in read_weights(path, description)}
    nodes = description["modelTopology"]["node"]  # each after those that it takes from

    @tf.function
    def run(pixels):
        values = dict(weights)
        for node in nodes:
            if node["op"] == "Const":
                continue
            inputs = [values[name] for name in node.get("input", ())]
            value = pixels if node["op"] == "Placeholder" else apply(node, inputs)
            if node["op"] == "Unpack":
                values |= {f"{node['name']}:{i}": part for i, part in enumerate(value)}
                value = value[0]
            values[node["name"]] = value
        (output,) = description["signature"]["outputs"]
        return values[output.removesuffix(":0")]

    return run


def read_weights(path, description):
    """(name, array) of every constant."""
    import numpy as np

    for group in description["weightsManifest"]:
        data = b"".join((path.parent / name).read_bytes() for name in group["paths"])
        start = 0
        for weight in group["weights"]:
            kind = np.dtype(weight.get("quantization", weight)["dtype"])
            count = int(np.prod(weight["shape"]))
            array = np.frombuffer(data, kind, count, start).reshape(weight["shape"])
            start += count * kind.itemsize
            yield weight["name"], array.astype(weight["dtype"])


def apply(node, inputs):
    """What one operation makes of its inputs."""
    import tensorflow as tf

    op, raw = node["op"], tf.raw_ops
    attributes = {name: plain(value) for name, value in node.get("attr", {}).items()}
    if op in ("_FusedConv2D", "FusedDepthwiseConv2dNative", "DepthwiseConv2dNative"):
        convolve = raw.Conv2D if op == "_FusedConv2D" else raw.DepthwiseConv2dNative
        kept = {name: attributes[name] for name in ("strides", "padding", "dilations")}
        value = convolve(input=inputs[0], filter=inputs[1], **kept)
        for fused in attributes.get("fused_ops", ()):
            later = {"BiasAdd": lambda v: v + inputs[2], "Relu": tf.nn.relu, "Relu6": tf.nn.relu6}
            value = later[fused](value)
        return value
    if op == "ResizeBilinear":
        kept = {name: attributes[name] for name in ("half_pixel_centers", "align_corners")}
        return raw.ResizeBilinear(images=inputs[0], size=inputs[1], **kept)
    simple = {
        "AddV2": tf.add, "Sub": tf.subtract, "Mul": tf.multiply, "RealDiv": tf.divide,
        "FloorDiv": tf.math.floordiv, "SquaredDifference": tf.math.squared_difference,
        "Sqrt": tf.sqrt, "Sigmoid": tf.sigmoid, "Reshape": tf.reshape, "GatherNd": tf.gather_nd,
        "Identity": tf.identity,
        "Cast": lambda x: tf.cast(x, attributes["DstT"]),
        "ArgMax": lambda x, axis: tf.argmax(x, axis, attributes["output_type"]),
        "Pack": lambda *x: tf.stack(x, attributes["axis"]),
        "Unpack": lambda x: tf.unstack(x, axis=attributes["axis"]),
        "Squeeze": lambda x: tf.squeeze(x, attributes["squeeze_dims"]),
        "ExpandDims": lambda x, axis: tf.expand_dims(x, int(tf.get_static_value(axis))),
        "ConcatV2": lambda *x: tf.concat(x[:-1], int(tf.get_static_value(x[-1]))),
    }  # fmt: skip
    if op not in simple:
        raise SystemExit(f"movenet: expected an operation of MoveNet's graph, got {op}")
    return simple[op](*inputs)


def plain(value):
    """An attribute as Python has it: numbers come as text, text in base 64."""
    kind, content = next(iter(value.items()))
    if kind == "list":
        lists = [[plain({inner: item}) for item in items] for inner, items in content.items()]
        return lists[0] if lists else []
    if kind == "type":
        return {"DT_INT32": "int32", "DT_FLOAT": "float32"}[content]
    readers = {"i": int, "f": float, "s": lambda text: base64.b64decode(text).decode()}
    return readers.get(kind, lambda same: same)(content)


if __name__ == "__main__":
    sys.exit(main())
