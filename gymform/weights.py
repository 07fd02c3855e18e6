"""Which models there are: manifests, and files checked against them. No weights are parsed here.

``MANIFEST.json`` in the folder ``weights`` lists the embedded models; the same kind of file in
``data_dir()/weights`` lists those that the user fetched or converted. A manifest describes each
model and gives the sha256 of its file; weights are opened only after :func:`checked_path`.
To replace a default, change ``default_pose`` or ``default_exercise``; ``default_live`` may name
the pose model of the live view.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gymform.errors import WeightsError
from gymform.installation import installed, weights_folder
from gymform.limits import MAX_WEIGHTS_BYTES
from gymform.storage import atomic_path, data_dir

if TYPE_CHECKING:
    from torch import Tensor

MANIFEST = "MANIFEST.json"
SCHEMA = 1
KINDS = ("pose", "exercise")
SUFFIXES = (".safetensors", ".pth")

_FIELDS = ("name", "kind", "file", "sha256", "bytes", "licence", "provenance", "config")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_FILE = re.compile(_NAME.pattern + r"\.(safetensors|pth)")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ModelEntry:
    """One model of a manifest. ``file`` is in ``folder``; ``config`` belongs to the network."""

    name: str
    kind: str
    file: str
    sha256: str
    bytes: int
    licence: str
    provenance: str
    config: dict[str, Any]
    folder: Path = field(repr=False)

    @classmethod
    def of(cls, path: Path, *, file: str | None = None, **facts: Any) -> ModelEntry:
        """The entry of the weights at ``path``, with their size and sha256.

        ``file`` is the name that they will have in their folder, by default that of ``path``;
        ``facts`` are name, kind, licence, provenance and config.
        """
        return cls(
            file=file or path.name,
            sha256=sha256_of(path),
            bytes=path.stat().st_size,
            folder=path.parent,
            **facts,
        )

    def __post_init__(self) -> None:
        check_name(self.name)
        where = f"{MANIFEST}, model {self.name!r}"
        for key, kind in (("licence", str), ("provenance", str), ("config", dict)):
            if not isinstance(getattr(self, key), kind):
                raise WeightsError(f"{where}: {key} should be a {kind.__name__}.")
        if self.kind not in KINDS:
            raise WeightsError(f"{where}: expected kind {' or '.join(KINDS)}, got {self.kind!r}.")
        if not isinstance(self.file, str) or not _FILE.fullmatch(self.file):
            raise WeightsError(
                f"{where}: expected a plain file name ending in {' or '.join(SUFFIXES)}."
            )
        if not isinstance(self.sha256, str) or not _SHA256.fullmatch(self.sha256):
            raise WeightsError(f"{where}: expected sha256 as 64 lower-case hexadecimal digits.")
        if type(self.bytes) is not int or not 0 < self.bytes <= MAX_WEIGHTS_BYTES:
            raise WeightsError(f"{where}: expected bytes between 1 and {MAX_WEIGHTS_BYTES}.")

    @property
    def path(self) -> Path:
        """Where the file should be."""
        return self.folder / self.file

    @property
    def embedded(self) -> bool:
        """Whether the model comes with gymform; others were fetched, converted or trained here."""
        return self.folder == embedded_dir()


@dataclass(frozen=True)
class Manifest:
    """The models of one folder and the names of the defaults ("" where a folder sets none)."""

    models: tuple[ModelEntry, ...] = ()
    default_pose: str = ""
    default_exercise: str = ""
    default_live: str = ""


def check_name(name: Any) -> None:
    """Raise WeightsError unless ``name`` is valid for a model, and so as part of a file's name."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise WeightsError(
            f"{name!r} cannot be a model's name: expected at most 64 letters, digits and . _ + -, "
            "starting with a letter or digit."
        )


def embedded_dir() -> Path:
    """The folder of the models that come with gymform, or the one in ``GYMFORM_WEIGHTS``."""
    other = os.environ.get("GYMFORM_WEIGHTS")
    return Path(other) if other else weights_folder()


def restore(what: str) -> str:
    """What to do when something that comes with gymform is missing or broken."""
    return "Install gymform again." if installed() else f"Restore {what} from the repository."


def local_dir() -> Path:
    """The folder of fetched and converted models, created on first use."""
    folder = data_dir() / "weights"
    folder.mkdir(exist_ok=True)
    return folder


def read_manifest(folder: Path | None = None) -> Manifest:
    """The manifest of ``folder``, by default of the embedded models.

    Raises WeightsError when it is missing or not valid.
    """
    folder = folder or embedded_dir()
    try:
        return _parse(folder)
    except WeightsError as error:
        advice = (
            restore("weights/")
            if folder == embedded_dir()
            else "It lists your own models, in gymform's data folder: repair or delete it."
        )
        raise WeightsError(f"{error} {advice}") from error


def _parse(folder: Path) -> Manifest:
    """The manifest of ``folder``. Its errors say what is wrong, but not what to do."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WeightsError(f"{MANIFEST} is missing.") from None
    except OSError as error:
        raise WeightsError(f"{MANIFEST} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{MANIFEST} is not valid JSON.") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise WeightsError(f"{MANIFEST}: expected an object of schema {SCHEMA}.")
    if not isinstance(content.get("models"), list):
        raise WeightsError(f"{MANIFEST}: expected a list 'models'.")
    models = tuple(_entry(item, folder) for item in content["models"])
    names = [entry.name for entry in models]
    duplicate = next((name for name in names if names.count(name) > 1), None)
    if duplicate:
        raise WeightsError(f"{MANIFEST}: model {duplicate!r} is listed twice.")
    defaults = {
        key: str(content.get(key) or "")
        for key in ("default_pose", "default_exercise", "default_live")
    }
    return Manifest(models, **defaults)


def _entry(item: Any, folder: Path) -> ModelEntry:
    """One entry of a manifest, checked. Raises WeightsError naming what is missing."""
    if not isinstance(item, dict):
        raise WeightsError(f"{MANIFEST}: each of 'models' should be an object.")
    missing = next((key for key in _FIELDS if key not in item), None)
    if missing:
        raise WeightsError(f"{MANIFEST}, model {item.get('name', '?')!r}: {missing} is missing.")
    return ModelEntry(**{key: item[key] for key in _FIELDS}, folder=folder)


def manifest_entry(name: str | None = None, kind: str = "pose") -> ModelEntry:
    """The model called ``name``, embedded or local; without a name the default of its kind.

    Raises WeightsError for an unknown name or one of another kind, listing the known names.
    """
    embedded = read_manifest()
    if name is None:
        name = _local_default(kind) or getattr(embedded, f"default_{kind}")
        if not name:
            raise WeightsError(f"{MANIFEST} names no default_{kind}: give it one of its models.")
    # the embedded ones first: a broken manifest of local models must not take them away
    found = _named(name, kind, embedded.models) or _named(name, kind, local_models())
    if found:
        return found
    known = [entry.name for entry in embedded.models + local_models() if entry.kind == kind]
    raise WeightsError(f"There is no {kind} model {name!r}. Known: {', '.join(known) or 'none'}.")


def _local_default(kind: str) -> str:
    """The default that the user's own manifest names; "" when it names none or is broken."""
    folder = data_dir() / "weights"
    if not (folder / MANIFEST).is_file():
        return ""
    with contextlib.suppress(WeightsError):
        return str(getattr(read_manifest(folder), f"default_{kind}"))
    return ""


def _named(name: str, kind: str, models: tuple[ModelEntry, ...]) -> ModelEntry | None:
    return next((entry for entry in models if (entry.name, entry.kind) == (name, kind)), None)


def local_models() -> tuple[ModelEntry, ...]:
    """The fetched and converted models; empty when there are none."""
    folder = data_dir() / "weights"
    return read_manifest(folder).models if (folder / MANIFEST).is_file() else ()


def write_entry(entry: ModelEntry) -> None:
    """Write ``entry`` into the manifest of its folder, replacing one of the same name.

    Other fields of the manifest are kept; a folder without a manifest gets one.
    """
    path = entry.folder / MANIFEST
    content: dict[str, Any] = {"schema": SCHEMA, "models": []}
    if path.is_file():
        read_manifest(entry.folder)  # raises when it is broken, before it is overwritten
        content = json.loads(path.read_text(encoding="utf-8"))
    item = {key: getattr(entry, key) for key in _FIELDS}
    names = [model["name"] for model in content["models"]]
    if entry.name in names:
        content["models"][names.index(entry.name)] = item
    else:
        content["models"].append(item)
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def set_default(entry: ModelEntry) -> None:
    """Make ``entry``, which its folder's manifest lists, the default of its kind there."""
    path = entry.folder / MANIFEST
    read_manifest(entry.folder)  # raises when it is broken, before it is overwritten
    content = json.loads(path.read_text(encoding="utf-8"))
    content[f"default_{entry.kind}"] = entry.name
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def clear_default(kind: str) -> None:
    """Make the embedded default of this kind apply again: remove the local manifest's."""
    path = data_dir() / "weights" / MANIFEST
    if not path.is_file():
        return
    read_manifest(path.parent)  # raises when it is broken, before it is overwritten
    content = json.loads(path.read_text(encoding="utf-8"))
    if content.pop(f"default_{kind}", None) is not None:
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def checked_path(entry: ModelEntry) -> Path:
    """The path of a model's file, once its size and sha256 match the manifest.

    Raises WeightsError when the file is missing or differs; its text says what to do.
    """
    advice = "Fetch or convert the model again."
    if entry.embedded:
        advice = restore("it")
    elif entry.kind == "exercise":
        advice = "Choose another one on the page Models."
    try:
        size = entry.path.stat().st_size
        # the size is compared first, so that a file that grew is not read at all
        digest = sha256_of(entry.path) if size == entry.bytes else None
    except FileNotFoundError:
        raise WeightsError(f"{entry.file} is missing. {advice}") from None
    except OSError as error:
        raise WeightsError(f"{entry.file} cannot be read: {error.strerror}.") from None
    if digest is None:
        raise WeightsError(f"{entry.file}: expected {entry.bytes} bytes, got {size}. {advice}")
    if digest != entry.sha256:
        raise WeightsError(
            f"{entry.file}: expected sha256 {entry.sha256[:12]}..., got {digest[:12]}...; "
            f"it was not opened. {advice}"
        )
    return entry.path


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """Write ``tensors`` and text about them as safetensors.

    Raises OSError when the disk refuses it, which the library alone says with an error of its own.
    """
    from safetensors import SafetensorError  # here, since both are slow to import
    from safetensors.torch import save_file

    try:
        save_file(dict(tensors), path, dict(metadata) if metadata else None)
    except SafetensorError as error:
        if found := re.search(r"os error (\d+)", str(error)):
            raise OSError(int(found[1]), os.strerror(int(found[1])), str(path)) from error
        raise


def sha256_of(path: Path) -> str:
    """The file's sha256 as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
