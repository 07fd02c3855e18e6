"""The one place that opens pose weights: verify, open safely, recognise, rename, check, load.

Files of several families hold a ViTPose (see ``layouts.py``). Every key of a file is either used
or ignored by a rule, and every shape is compared, before a value is read.
"""

from __future__ import annotations

import json
import math
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from gymform.errors import WeightsError
from gymform.limits import MAX_WEIGHTS_BYTES
from gymform.pose import hub
from gymform.pose.layouts import FAMILIES, POSITIONS, Family, is_counter
from gymform.pose.vitpose import OFFICIAL_SIZES, ViTPose, ViTPoseConfig
from gymform.skeleton import NUM_KEYPOINTS
from gymform.storage import atomic_path
from gymform.weights import (
    SUFFIXES,
    ModelEntry,
    check_name,
    checked_path,
    local_dir,
    local_models,
    manifest_entry,
    read_manifest,
    sha256_of,
    write_entry,
    write_tensors,
)

PATCHES = "backbone.patch_embed.proj.weight"
FINAL_LAYER = "keypoint_head.final_layer.weight"
FINAL_BIAS = "keypoint_head.final_layer.bias"


# --- what the app and the terminal ask for ------------------------------------------------------


@dataclass(frozen=True, eq=False)
class LoadedPose:
    """A network ready for inference (eval mode, fp32) and where it comes from."""

    network: ViTPose
    name: str
    sha256: str
    config: ViTPoseConfig


def load_pose_model(name: str | None = None, device: str = "cpu") -> LoadedPose:
    """The pose model called ``name`` (default: the manifest's), in eval mode and fp32.

    Raises WeightsError, naming file and key, when anything is not as the manifest says.
    """
    entry = manifest_entry(name, "pose")
    path = checked_path(entry)
    config = _entry_config(entry)
    with _opened(path) as checkpoint:
        tensors = _take(checkpoint, config)
    return LoadedPose(_build(config, tensors).to(device), entry.name, entry.sha256, config)


def available_models() -> list[ModelEntry]:
    """The pose models that can be chosen: embedded ones, then fetched and converted ones."""
    return [entry for entry in list_weights() if entry.kind == "pose"]


def list_weights() -> list[ModelEntry]:
    """All models, of poses and of exercises: embedded ones, then fetched and converted ones."""
    return list(read_manifest().models + local_models())


def fetchable() -> list[str]:
    """Names of the official models that are not here yet; :func:`fetch` gets them."""
    here = {entry.name for entry in list_weights()}
    return [name for name in hub.OFFICIAL if name not in here]


def verify() -> list[tuple[ModelEntry, str | None]]:
    """Each model and what is wrong with its file, or None when size and sha256 are right."""
    return [(entry, _problem(entry)) for entry in list_weights()]


def fetch(name: str, progress: hub.Progress | None = None) -> ModelEntry:
    """The official model ``name`` from the Hugging Face hub, ready to be chosen.

    Already here and intact, it is not downloaded again. The sha256 of the first fetch is recorded
    and holds ever after. ``progress`` is told bytes done and total; it may raise to stop, and the
    next fetch goes on from there. Raises WeightsError.
    """
    if name not in hub.OFFICIAL:
        known = ", ".join(hub.OFFICIAL)
        raise WeightsError(f"There is no official model {name!r} to fetch. Known: {known}.")
    recorded = next((entry for entry in list_weights() if entry.name == name), None)
    if recorded and _problem(recorded) is None:
        return recorded
    download = hub.download(name, local_dir(), progress)
    try:
        if recorded and download.sha256 != recorded.sha256:
            raise WeightsError(
                f"{name}: the first fetch had sha256 {recorded.sha256[:12]}..., the hub now has "
                f"{download.sha256[:12]}...: it was not kept. Convert it under another name if you "
                "trust it."
            )
        with _opened(download.path) as checkpoint:
            config = _infer_config(checkpoint)
            _plan(checkpoint, config)
    except WeightsError:
        download.path.unlink()
        raise
    entry = ModelEntry(
        name=name,
        kind="pose",
        file=f"{name}.safetensors",
        sha256=download.sha256,
        bytes=download.bytes,
        licence="Apache-2.0, says the hub's card",
        provenance=f"Hugging Face hub, {hub.OFFICIAL[name]}, commit {download.commit}",
        config=asdict(config),
        folder=local_dir(),
    )
    os.replace(download.path, entry.path)
    write_entry(entry)
    return entry


def convert(
    path: Path,
    name: str | None = None,
    heads: int | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> ModelEntry:
    """A ``.pth`` or ``.safetensors`` file of any family, in our own layout, ready to be chosen.

    ``name`` is by default the file's; ``heads`` must be given for networks of no official size
    (shapes do not show it). Of a network with more keypoints than COCO's the first 17 are kept, and
    ``tell`` hears that in a sentence. Raises WeightsError, naming file and key.
    """
    path = Path(path)
    name = name or path.stem
    check_name(name)
    hints = _hints_beside(path) | ({"heads": heads} if heads else {})
    with _opened(path) as whole:
        family = _recognise(whole)
        checkpoint = _coco_part(whole, family)
        config = _infer_config(checkpoint, hints)
        tensors = _take(checkpoint, config)
    target = local_dir() / f"{name}.safetensors"
    source = sha256_of(path)
    keypoints = _final_rows(whole, family)
    more = keypoints > NUM_KEYPOINTS
    part = f"the first {NUM_KEYPOINTS} of its {keypoints} keypoints, " if more else ""
    taken = next((entry for entry in list_weights() if entry.name == name), None)
    if taken and not (
        taken.kind == "pose" and source in taken.provenance and _entry_config(taken) == config
    ):
        raise WeightsError(f"There is already a model {name!r}. Choose another name.")
    with atomic_path(target) as temporary:
        save_checkpoint(tensors, config, temporary)
        entry = ModelEntry.of(
            temporary,
            file=target.name,
            name=name,
            kind="pose",
            licence="that of the source; gymform does not know it",
            provenance=f"Converted from {path.name} ({family.name}), {part}sha256 {source}",
            config=asdict(config),
        )
    write_entry(entry)
    if more:
        tell(
            f"{path.name} has {keypoints} keypoints. Kept are the first {NUM_KEYPOINTS}, which are "
            "taken for COCO's in COCO's order, as in Halpe and COCO-WholeBody; the other "
            f"{keypoints - NUM_KEYPOINTS} are left out."
        )
    return entry


def save_checkpoint(tensors: Mapping[str, Tensor], config: ViTPoseConfig, path: Path) -> None:
    """Write a network's parameters as safetensors in our own layout.

    ``tensors`` is a ``ViTPose.state_dict()``, of any floating type. The file's metadata holds the
    facts that shapes do not show.
    """
    unseen = ("heads", "patch_padding", "class_token", "score_power", "padding", "input_height")
    facts = {name: getattr(config, name) for name in unseen}
    metadata = {"gymform": json.dumps(facts)}  # one entry: the library shuffles several
    kept = {key: t.detach().contiguous() for key, t in tensors.items() if not is_counter(key)}
    write_tensors(path, kept, metadata)


def read_pose_file(path: Path) -> tuple[ViTPoseConfig, dict[str, Tensor]]:
    """Configuration and parameters in a weights file of any family, which no manifest lists."""
    path = Path(path)
    with _opened(path) as checkpoint:
        config = _infer_config(checkpoint, _hints_beside(path))
        return config, _take(checkpoint, config)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """All tensors of a safetensors file as they are, and its metadata: a training's own state."""
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            return tensors, dict(file.metadata() or {})
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path.name}: not a safetensors file ({error}).") from error


def _problem(entry: ModelEntry) -> str | None:
    try:
        checked_path(entry)
    except WeightsError as error:
        return str(error)
    return None


# --- opening, without trusting ------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """An open file: the shapes of its tensors by key, and a way to read one of them."""

    file: str
    shapes: dict[str, tuple[int, ...]]
    read: Callable[[str], Tensor]
    hints: dict[str, Any]
    """What the file itself says of heads, patch_padding and class_token."""
    rows: Mapping[str, int] = field(default_factory=dict)
    """By key, how many of a tensor's rows are wanted; without an entry all of them."""

    @property
    def experts(self) -> bool:
        """Is it a ViTPose++?"""
        return any(".mlp.experts." in key for key in self.shapes)

    def error(self, text: str) -> WeightsError:
        """The error to raise about this file."""
        return WeightsError(f"{self.file}: {text}")


@contextmanager
def _opened(path: Path) -> Iterator[Checkpoint]:
    """The checkpoint at ``path``; nothing but tensors, text and numbers is ever read from it."""
    if path.suffix not in SUFFIXES:
        raise WeightsError(f"{path.name}: expected a file ending in {' or '.join(SUFFIXES)}.")
    try:
        size = path.stat().st_size
    except OSError as error:
        raise WeightsError(f"{path.name} cannot be read: {error.strerror}.") from error
    if not path.is_file() or not 0 < size <= MAX_WEIGHTS_BYTES:
        raise WeightsError(
            f"{path.name}: expected a file of 1 to {MAX_WEIGHTS_BYTES} bytes, got {size}."
        )
    if path.suffix == ".pth":
        yield _open_pth(path)
        return
    try:
        file = safe_open(path, framework="pt")
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path.name}: not a safetensors file ({error}).") from error
    with file:
        # safetensors' stubs leave these methods untyped
        keys = file.keys()  # type: ignore[no-untyped-call]
        shapes = {key: tuple(file.get_slice(key).get_shape()) for key in keys}  # type: ignore[no-untyped-call]
        metadata = file.metadata() or {}  # type: ignore[no-untyped-call]
        yield Checkpoint(path.name, shapes, file.get_tensor, _metadata_hints(metadata))


def _open_pth(path: Path) -> Checkpoint:
    """A PyTorch file, read by the restricted unpickler only: there is no other way in.

    Both of PyTorch's containers occur: OpenMMLab publishes in the one from before version 1.6.
    """
    _refuse_inflated(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # a damaged pickle raises whatever its last good byte led to
        refused = re.search(r"(?:GLOBAL|global) ([\w.]+)", str(error))
        reason = f"it wants to run {refused.group(1)}" if refused else "damaged or of another kind"
        raise WeightsError(
            f"{path.name}: refused as PyTorch weights: {reason}. Only files of plain tensors are "
            "opened; ask its author for one, or for safetensors."
        ) from error
    state = content.get("state_dict", content) if isinstance(content, dict) else None
    if not isinstance(state, dict) or not state:
        raise WeightsError(f"{path.name}: expected a dictionary of tensors ('state_dict').")
    for key, value in state.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise WeightsError(f"{path.name}: key {key!r}: expected a tensor.")
    shapes = {key: tuple(value.shape) for key, value in state.items()}
    return Checkpoint(path.name, shapes, state.__getitem__, {})


def _refuse_inflated(path: Path) -> None:
    """Raise WeightsError for a zip container that would unpack to more than the cap."""
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            return
    try:
        with zipfile.ZipFile(path) as archive:
            inflated = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise WeightsError(f"{path.name}: damaged: not a readable zip container.") from error
    # PyTorch stores without compression, so an honest file is as large as its content
    if inflated > path.stat().st_size:
        raise WeightsError(f"{path.name}: refused: its content is larger than the file.")


def _metadata_hints(metadata: Mapping[str, str]) -> dict[str, Any]:
    """What a safetensors file's own metadata says that shapes do not show."""
    ours = _json(metadata.get("gymform", ""))
    if isinstance(ours, dict):
        return ours
    names = {"num_heads": "heads", "patch_padding": "patch_padding", "class_token": "class_token"}
    return {name: _json(metadata[key]) for key, name in names.items() if key in metadata}


def _hints_beside(path: Path) -> dict[str, Any]:
    """The head count from a Hugging Face ``config.json`` that lies beside the weights."""
    beside = path.with_name("config.json")
    try:
        if beside.stat().st_size > 1 << 20:
            return {}
        content = _json(beside.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return {}
    backbone = content.get("backbone_config") if isinstance(content, dict) else None
    heads = backbone.get("num_attention_heads") if isinstance(backbone, dict) else None
    return {"heads": heads} if heads else {}


def _json(text: str) -> Any:
    """The value that ``text`` stands for, None when it is not JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


# --- from a file to a network -------------------------------------------------------------------


def _recognise(checkpoint: Checkpoint) -> Family:
    """The family that a file belongs to, by the keys of its blocks."""
    for family in FAMILIES:
        if any(key.startswith(family.blocks) for key in checkpoint.shapes):
            return family
    first = next(iter(checkpoint.shapes), None)
    known = ", ".join(f"{family.blocks}* ({family.name})" for family in FAMILIES)
    raise checkpoint.error(f"not a ViTPose: expected keys like {known}; the first is {first!r}.")


def _coco_part(checkpoint: Checkpoint, family: Family) -> Checkpoint:
    """The checkpoint without the heatmaps behind the first 17, as if it had no other keypoints.

    What data sets of more points add to COCO's comes behind them: Halpe's 26 and 136 begin with
    COCO's 17, and so do the 133 of COCO-WholeBody. Raises WeightsError when weights and bias of the
    last layer are of different numbers.
    """
    count = _final_rows(checkpoint, family)
    if count <= NUM_KEYPOINTS:
        return checkpoint
    keys = (*family.keys_of(FINAL_LAYER), *family.keys_of(FINAL_BIAS))
    found = {key: checkpoint.shapes[key] for key in keys if key in checkpoint.shapes}
    for key, shape in found.items():
        if shape[:1] != (count,):
            raise checkpoint.error(f"{key}: expected {count} rows, got shape {shape}.")
    shapes = {key: (NUM_KEYPOINTS, *shape[1:]) for key, shape in found.items()}
    rows = dict.fromkeys(found, NUM_KEYPOINTS)
    return replace(checkpoint, shapes=checkpoint.shapes | shapes, rows=rows)


def _final_rows(checkpoint: Checkpoint, family: Family) -> int:
    """Keypoints that the file's last layer answers with; 0 where it has none."""
    return next(iter(checkpoint.shapes.get(family.keys_of(FINAL_LAYER)[0], ())), 0)


def _infer_config(checkpoint: Checkpoint, hints: Mapping[str, Any] | None = None) -> ViTPoseConfig:
    """The network's configuration, from shapes and from what the file or the user adds to them."""
    family = _recognise(checkpoint)
    hints = checkpoint.hints | dict(hints or {})

    def shape(parameter: str) -> tuple[int, ...]:
        key = family.keys_of(parameter)[0]
        if key not in checkpoint.shapes:
            raise checkpoint.error(f"key {key!r} is missing.")
        found = checkpoint.shapes[key]
        wanted = 2 if ".mlp." in parameter else 4
        if len(found) != wanted:
            raise checkpoint.error(f"{key}: expected {wanted} axes, got shape {found}.")
        return found

    dim, _, patch_size, _ = shape(PATCHES)
    hidden, _ = shape("backbone.blocks.0.mlp.fc1.weight")
    keypoints, channels, kernel, _ = shape(FINAL_LAYER)
    pattern = re.compile(re.escape(family.blocks) + r"(\d+)\.")
    blocks = {match.group(1) for key in checkpoint.shapes if (match := pattern.match(key))}
    heads = hints.get("heads") or _official_heads(dim)
    if heads is None:
        raise checkpoint.error(
            f"dim {dim} is no official size, and shapes do not show the number of heads. Say it."
        )
    try:
        return ViTPoseConfig(
            dim=dim,
            depth=len(blocks),
            heads=heads,
            mlp_ratio=hidden // max(dim, 1),
            patch_size=patch_size,
            patch_padding=hints.get("patch_padding", ViTPoseConfig.patch_padding),
            class_token=hints.get("class_token", False),
            decoder="classic" if kernel == 1 else "simple",
            decoder_channels=channels if kernel == 1 else ViTPoseConfig.decoder_channels,
            keypoints=keypoints,
            score_power=hints.get("score_power", ViTPoseConfig.score_power),
            padding=hints.get("padding", ViTPoseConfig.padding),
            input_height=hints.get("input_height", ViTPoseConfig.input_height),
        )
    except (TypeError, ValueError) as error:
        raise checkpoint.error(f"not a ViTPose that gymform can run: {error}.") from error


def _official_heads(dim: int) -> int | None:
    """The heads of the published network of this width."""
    return next((size["heads"] for size in OFFICIAL_SIZES.values() if size["dim"] == dim), None)


def _entry_config(entry: ModelEntry) -> ViTPoseConfig:
    """The network's configuration as the manifest gives it."""
    try:
        return ViTPoseConfig(**entry.config)
    except (TypeError, ValueError) as error:
        raise WeightsError(f"MANIFEST.json, model {entry.name!r}: config: {error}.") from error


def _plan(checkpoint: Checkpoint, config: ViTPoseConfig) -> dict[str, tuple[str, ...]]:
    """For each of the network's parameters, the keys of the file whose rows make it up.

    Raises WeightsError naming the first key that is missing, that nothing needs, or whose shape
    does not fit.
    """
    if config.keypoints != NUM_KEYPOINTS:
        raise checkpoint.error(_other_skeleton(config.keypoints))
    expected = _expected_shapes(config)
    if 4 * sum(math.prod(shape) for shape in expected.values()) > MAX_WEIGHTS_BYTES:
        raise checkpoint.error("the network would be larger than any ViTPose.")
    family = _recognise(checkpoint)
    plan = {name: family.keys_of(name, checkpoint.experts) for name in expected}
    used = {key: None for keys in plan.values() for key in keys}
    for key in used:
        if key not in checkpoint.shapes:
            raise checkpoint.error(f"key {key!r} is missing.")
    for key in checkpoint.shapes:
        if key not in used and not family.ignores(key):
            raise checkpoint.error(f"unexpected key {key!r}.")
    for name, keys in plan.items():
        _check_shapes(checkpoint, keys, _stored_shape(name, expected[name], family))
    return plan


def _other_skeleton(keypoints: int) -> str:
    """What to say of a network of another number of keypoints than the skeleton's."""
    found = f"expected {NUM_KEYPOINTS} keypoints, got {keypoints}."
    if keypoints > NUM_KEYPOINTS:
        return f"{found} `weights convert` keeps the first {NUM_KEYPOINTS} of a network with more."
    return (
        f"{found} gymform needs every one of its skeleton (gymform/skeleton.py): take a network "
        "trained on COCO, Halpe or COCO-WholeBody."
    )


def _expected_shapes(config: ViTPoseConfig) -> dict[str, tuple[int, ...]]:
    """The shape of each parameter that a file must provide, in the network's order."""
    with torch.device("meta"):
        state = ViTPose(config).state_dict()
    return {name: tuple(t.shape) for name, t in state.items() if not is_counter(name)}


def _stored_shape(name: str, shape: tuple[int, ...], family: Family) -> tuple[int, ...]:
    """The shape that a parameter has in files of this family."""
    if name == POSITIONS and not family.first_position:
        return shape[0], shape[1] - 1, *shape[2:]
    return shape


def _check_shapes(checkpoint: Checkpoint, keys: tuple[str, ...], shape: tuple[int, ...]) -> None:
    """Raise WeightsError unless the rows of ``keys``, one after the other, have ``shape``."""
    rows = [shape[0] // len(keys)] * len(keys)  # query, key and value are alike
    if len(keys) == 2:  # an expert has as many rows as it likes, its fc2 the rest
        part = next(iter(checkpoint.shapes[keys[1]]), 0)
        part = min(max(part, 1), shape[0] - 1)
        rows = [shape[0] - part, part]
    for key, count in zip(keys, rows, strict=True):
        expected, found = (count, *shape[1:]), checkpoint.shapes[key]
        if found != expected:
            raise checkpoint.error(f"{key}: expected shape {expected}, got {found}.")


def _take(checkpoint: Checkpoint, config: ViTPoseConfig) -> dict[str, Tensor]:
    """The network's parameters by name, in the file's own floating type."""
    family = _recognise(checkpoint)
    tensors = {}
    for name, keys in _plan(checkpoint, config).items():
        parts = [_read(checkpoint, key) for key in keys]
        tensor = torch.cat(parts) if len(parts) > 1 else parts[0]
        if name == POSITIONS and not family.first_position:
            tensor = torch.cat((torch.zeros_like(tensor[:, :1]), tensor), dim=1)
        tensors[name] = tensor
    return tensors


def _read(checkpoint: Checkpoint, key: str) -> Tensor:
    """One tensor of a file: dense, floating and finite."""
    try:
        tensor = checkpoint.read(key)
    except SafetensorError as error:
        raise checkpoint.error(f"{key}: cannot be read ({error}).") from error
    dense = tensor.layout == torch.strided and tensor.device.type == "cpu"
    if not dense or not tensor.dtype.is_floating_point:
        raise checkpoint.error(f"{key}: expected floating-point numbers, got {tensor.dtype}.")
    if key in checkpoint.rows:
        tensor = tensor[: checkpoint.rows[key]]
    if tensor.dtype not in (torch.float16, torch.bfloat16):
        tensor = tensor.float()
    if not torch.isfinite(tensor).all():
        raise checkpoint.error(f"{key}: holds values that are not finite.")
    return tensor.detach()


def _build(config: ViTPoseConfig, tensors: Mapping[str, Tensor]) -> ViTPose:
    """The network with these parameters, in eval mode and fp32."""
    with torch.device("meta"):  # no time is spent on random numbers that are replaced at once
        network = ViTPose(config)
    counters = {key: torch.tensor(0) for key in network.state_dict() if is_counter(key)}
    state = {key: tensor.float() for key, tensor in tensors.items()}
    network.load_state_dict(state | counters, assign=True)
    return network.eval()
