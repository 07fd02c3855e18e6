"""The blocks of a pose network in 8 bits for OpenVINO: which numbers occur is measured beforehand.

Matrices and what they are multiplied with are rounded to 8 bits (static quantisation; Jacob et al.,
CVPR 2018): matrices by their largest entry in each column, the rest between the least and the
largest value that came in crops of the sample clip, in the mean over crops. What the softmax gives
stays as it is: many of its values are too small for 8 bits.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

import gymform
from gymform.pose.crops import box_to_crop, cut_crop, to_tensor
from gymform.pose.vitpose import ViTPose
from gymform.video.read import read_frames

SAMPLE = Path(gymform.__file__).parent / "assets" / "sample_squat.mp4"
LIFTER = np.array([0.21, 0.17, 0.64, 0.9])
"""Where the lifter of the sample stands: a box xyxy in shares of its frames."""

EVERY = 18
"""One in so many frames of the sample is looked at."""

PADDINGS = (1.0, 1.3)
DARKER = 0.5
"""Crops are taken with each of the paddings, and every other one mirrored and darker."""

LEVELS = 256
_LARGEST = 127

MODEL, WEIGHTS = "blocks.xml", "blocks.bin"
"""Members of the file that is made."""


def sample_tokens(network: ViTPose) -> list[np.ndarray]:
    """What goes into the blocks in crops of the sample clip: float32 (1, N, C) each."""
    with read_frames(SAMPLE, keep=lambda index, _: index % EVERY == 0) as frames:
        pictures = [frame.rgb for frame in frames]
    height, width = pictures[0].shape[:2]
    box = LIFTER * np.array([width, height, width, height])
    crops = [
        cut_crop(picture, box_to_crop(box, padding), network.config.input_size)
        for padding in PADDINGS
        for picture in pictures
    ]
    for number in range(0, len(crops), 2):
        crops[number] = (crops[number][:, ::-1] * DARKER).astype(np.uint8)
    with torch.inference_mode():
        return [network.backbone.tokens(to_tensor([crop])).numpy() for crop in crops]


def quantise_static(plain: Path, calibration: Sequence[np.ndarray], target: Path) -> None:
    """Write the ONNX file ``plain`` to ``target`` in 8 bits: OpenVINO's own format in a ZIP file.

    ``calibration`` are inputs as they come. Raises OSError when it cannot be written.
    """
    import openvino

    core = openvino.Core()
    spans = _spans(core, plain, calibration)
    model = core.read_model(plain)
    for matmul, inputs in _products(model):
        for number in inputs:
            _round(matmul.input(number), spans[_name(matmul.input_value(number))])
        if _is_constant(matmul, 1):
            _shrink(matmul)
    model.validate_nodes_and_infer_types()
    xml, weights = target.with_suffix(".xml"), target.with_suffix(".bin")
    try:
        openvino.serialize(model, xml, weights)
        with zipfile.ZipFile(target, "w") as archive:
            archive.write(xml, MODEL)
            archive.write(weights, WEIGHTS)
    finally:
        xml.unlink(missing_ok=True)
        weights.unlink(missing_ok=True)


def read_quantised(path: Path) -> Any:
    """The `openvino.Model` in a file of `quantise_static`."""
    import openvino

    with zipfile.ZipFile(path) as archive:
        weights = np.frombuffer(archive.read(WEIGHTS), np.uint8)
        return openvino.Core().read_model(archive.read(MODEL), openvino.Tensor(weights))


def _products(model: Any) -> list[tuple[Any, list[int]]]:
    """The matrix products of a model, and the numbers of their inputs that are rounded."""
    found = []
    for node in model.get_ordered_ops():
        if node.get_type_name() != "MatMul":
            continue
        if node.input_value(0).get_node().get_type_name() == "Softmax":
            continue
        found.append((node, [number for number in (0, 1) if not _is_constant(node, number)]))
    return found


def _is_constant(node: Any, number: int) -> bool:
    return bool(node.input_value(number).get_node().get_type_name() == "Constant")


def _name(value: Any) -> tuple[str, int]:
    """What a value is called in every reading of the same file."""
    return value.get_node().get_friendly_name(), value.get_index()


def _spans(
    core: Any, plain: Path, calibration: Sequence[np.ndarray]
) -> dict[tuple[str, int], tuple[float, float]]:
    """The least and the largest of each value that is rounded, in the mean over ``calibration``."""
    model = core.read_model(plain)
    values = {
        _name(node.input_value(number)): node.input_value(number)
        for node, inputs in _products(model)
        for number in inputs
    }
    model.add_outputs(list(values.values()))
    exact = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    seen = []
    for tokens in calibration:
        _, *found = exact([tokens]).values()
        seen.append([(value.min(), value.max()) for value in found])
    means = np.mean(seen, axis=0).tolist()
    return {name: (low, high) for name, (low, high) in zip(values, means, strict=True)}


def _round(place: Any, span: tuple[float, float]) -> None:
    """Let what comes into ``place`` be rounded to 256 values from the least to the largest."""
    from openvino import opset13

    low, high = (np.float32(end) for end in span)
    value = place.get_source_output()
    place.replace_source_output(
        opset13.fake_quantize(value, low, high, low, high, LEVELS).output(0)
    )


def _shrink(matmul: Any) -> None:
    """Let a product's matrix be kept in 8 bits, with a scale for each column of the result."""
    from openvino import opset13

    matrix = matmul.input_value(1).get_node().get_data()
    inner = 1 if matmul.get_attributes()["transpose_b"] else 0
    scale = np.maximum(np.abs(matrix).max(axis=inner, keepdims=True), 1e-12) / _LARGEST
    whole = np.round(matrix / scale).astype(np.int8)
    wide = opset13.convert(opset13.constant(whole), "f32")
    scaled = opset13.multiply(wide, opset13.constant(scale.astype(np.float32)))
    matmul.input(1).replace_source_output(scaled.output(0))
