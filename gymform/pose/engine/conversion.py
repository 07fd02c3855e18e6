"""The blocks of a pose network as a file for an engine, made on this machine and kept.

Files are named after the sha256 of the weights they were made from, and each has its own sha256
beside it: a file that is damaged, or of another edition of gymform, is made anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import torch
from filelock import FileLock
from torch import Tensor, nn

from gymform.pose.engine.calibration import quantise_static, sample_tokens
from gymform.pose.vitpose import Backbone, ViTPose
from gymform.storage import atomic_path, data_dir
from gymform.weights import sha256_of

Kind = Literal["fp32", "dynamic", "static"]

SUFFIXES: dict[Kind, str] = {"fp32": ".onnx", "dynamic": ".onnx", "static": ".zip"}

EDITION = 2
"""Grows when the file of the same weights would come out differently."""

OPSET = 20

FOLDER = "engines"
"""Converted files are in this folder of `data_dir`."""


def blocks_file(network: ViTPose, sha256: str, kind: Kind) -> Path:
    """The file of the blocks of ``network``, whose weights have this ``sha256``.

    Input ``tokens`` and output ``encoded`` are float32 (B, N, C) with any B and N. It is an ONNX
    file in "fp32". In "dynamic" the matrices are of 8 bits, and the numbers they are multiplied
    with are rounded to 8 bits as they come (dynamic quantisation). "static" is for OpenVINO: see
    `calibration.py`. Made when it is not there yet. Raises OSError when it cannot be written.
    """
    folder = data_dir() / FOLDER
    folder.mkdir(exist_ok=True)
    path = folder / f"{_key(network, sha256)}-{kind}{SUFFIXES[kind]}"
    with FileLock(path.with_suffix(".lock")):
        if not _is_whole(path):
            _make(network, path, kind)
    return path


def _key(network: ViTPose, sha256: str) -> str:
    """A short name for weights, their network and how they are converted."""
    facts = (sha256, repr(network.config), EDITION, OPSET, torch.__version__)
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:24]


def _note(path: Path) -> Path:
    return path.with_suffix(".json")


def _is_whole(path: Path) -> bool:
    """Is there a file with the sha256 that was noted when it was made?"""
    try:
        return bool(json.loads(_note(path).read_text())["sha256"] == sha256_of(path))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _make(network: ViTPose, path: Path, kind: Kind) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, atomic_path(path) as target:
        plain = Path(folder) / "blocks.onnx"
        _export(network, plain)
        if kind == "static":
            quantise_static(plain, sample_tokens(network), target)
        elif kind == "dynamic":
            _quantise(plain, target)
        else:
            os.replace(plain, target)
        digest = sha256_of(target)
    _note(path).write_text(json.dumps({"sha256": digest}))


class _Blocks(nn.Module):
    """`Backbone.encode` as a module, which is what the exporter takes."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, tokens: Tensor) -> Tensor:
        return self.backbone.encode(tokens)


def _export(network: ViTPose, path: Path) -> None:
    blocks = _Blocks(network.backbone).eval()
    example = torch.zeros(2, 1 + network.config.tokens, network.config.dim)
    sizes = {0: "batch", 1: "count"}
    # the exporter that is not deprecated needs two more packages and makes a slower graph
    with torch.inference_mode(), _quiet():
        torch.onnx.export(
            blocks,
            (example,),
            str(path),
            input_names=["tokens"],
            output_names=["encoded"],
            dynamic_axes={"tokens": sizes, "encoded": sizes},
            dynamo=False,
            opset_version=OPSET,
        )


def _quantise(plain: Path, target: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with _quiet():
        quantize_dynamic(
            plain,
            target,
            weight_type=QuantType.QInt8,
            per_channel=True,
            op_types_to_quantize=["MatMul", "Gemm"],
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the converters' advice, which is for their developers."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.setLevel(level)
