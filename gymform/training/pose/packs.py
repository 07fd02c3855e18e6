"""Packs of annotated people for training a pose network: every crop a WebP, all in one ``.npz``.

=========  ==========  ===========  =====================================================
member     dtype       shape        meaning
=========  ==========  ===========  =====================================================
image      uint8       (bytes,)     the WebP files, back to back
offset     int64       (n + 1,)     where each begins
keypoints  float32     (n, 17, 3)   crop px and v: 0 missing, 1 occluded, 2 visible
dataset    str         (n,)         source of the person; decides how far labels are trusted
group      str         (n,)         photograph or film: never split between training and test
subset     str         (n,)         the source's own split
size       int16       (n, 2)       width and height of each crop, px
note       str         ()           origin of the labels, for the model card; may be missing
=========  ==========  ===========  =====================================================

A stored crop is 1.5 times as wide and high as the standard crop of a network (which includes
`PADDING` of pose/crops.py), as a margin for augmentation: the standard crop is the middle two
thirds, that of a network with less padding a smaller part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from gymform.dataset import splits
from gymform.errors import ModelDataError, PoseFileError
from gymform.pose.crops import PADDING
from gymform.pose.files import read_arrays
from gymform.pose.vitpose import INPUT_SIZE
from gymform.skeleton import NUM_KEYPOINTS
from gymform.storage import atomic_path

MARGIN = 1.5
"""Width and height of a stored crop over those of the standard crop."""

MAX_PACK_BYTES = 4 * 1024**3
"""Largest unpacked size of a pack, bytes."""

HELD_OUT_SHARE = 0.03
"""Share of the groups of LSP Extended that are never trained on."""

VALIDATION = ("coco_val2017", "lspet")
"""Names of the validation sets of :func:`split`."""

_NAMES = ("image", "offset", "keypoints", "dataset", "group", "subset", "size")


@dataclass(frozen=True, eq=False)
class CropPack:
    """Crops of people in photographs or clips with their keypoints; arrays as in the module."""

    image: np.ndarray
    offset: np.ndarray
    keypoints: np.ndarray
    dataset: np.ndarray
    group: np.ndarray
    subset: np.ndarray
    size: np.ndarray
    note: str = ""

    def __post_init__(self) -> None:
        count = len(self.keypoints)
        shapes = {"keypoints": (count, NUM_KEYPOINTS, 3), "offset": (count + 1,)}
        shapes |= {name: (count,) for name in ("dataset", "group", "subset")}
        shapes |= {"size": (count, 2)}
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"CropPack.{name}: expected {shape}, got "
                                 f"{getattr(self, name).shape}")  # fmt: skip
        if self.image.dtype != np.uint8 or self.image.ndim != 1:
            raise ValueError("CropPack.image: expected bytes, back to back")
        rising = self.offset[0] == 0 and (np.diff(self.offset) > 0).all()
        if not rising or self.offset[-1] != len(self.image):
            raise ValueError("CropPack.offset: expected rising positions in the images' bytes")
        known = np.isin(self.keypoints[..., 2], (0, 1, 2)).all()
        if not known or not np.isfinite(self.keypoints).all():
            raise ValueError("CropPack.keypoints: expected finite px and v of 0, 1 or 2")

    def __len__(self) -> int:
        return len(self.keypoints)

    def rgb(self, row: int) -> np.ndarray:
        """The pixels uint8 (H, W, 3) of one crop. Raises ModelDataError when it is damaged."""
        picture = cv2.imdecode(self._bytes(row), cv2.IMREAD_COLOR)
        if picture is None or picture.shape[1::-1] != tuple(self.size[row]):
            raise ModelDataError(
                f"The picture of crop {row} is damaged. Make or copy the pack again."
            )
        return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)

    def crop(self, row: int, padding: float = PADDING) -> np.ndarray:
        """The standard crop (4,) of one stored crop, see :func:`standard_crop`."""
        width, height = self.size[row].tolist()
        return standard_crop(width, height, padding)

    def digest(self) -> str:
        """sha256 hex of pictures and labels: equal packs give equal trainings."""
        sha = hashlib.sha256(self.image.tobytes())
        sha.update(np.ascontiguousarray(self.keypoints).tobytes())
        for column in (self.dataset, self.group, self.subset):
            sha.update("\n".join(map(str, column)).encode())
        return sha.hexdigest()

    def picture_digest(self, row: int) -> bytes:
        """sha256 of the compressed picture of one crop."""
        return hashlib.sha256(self._bytes(row).tobytes()).digest()

    def _bytes(self, row: int) -> np.ndarray:
        return self.image[self.offset[row] : self.offset[row + 1]]


def standard_crop(width: int, height: int, padding: float = PADDING) -> np.ndarray:
    """The crop (4,) that a network with this padding sees of a stored crop of this size: centre x,
    y, width, height, px of the stored crop."""
    span = (width - 1) / MARGIN * (padding / PADDING)
    middle = [(width - 1) / 2, (height - 1) / 2]
    return np.array([*middle, span, span * INPUT_SIZE[1] / INPUT_SIZE[0]])


# ---- files ---------------------------------------------------------------------------------


def read_pack(path: Path) -> CropPack:
    """The pack in ``path``. Raises ModelDataError when it is missing, damaged or something else."""
    try:
        arrays = read_arrays(path, MAX_PACK_BYTES)
        note = str(arrays["note"]) if "note" in arrays else ""
        return CropPack(**{name: arrays[name] for name in _NAMES}, note=note)
    except (PoseFileError, KeyError, ValueError) as error:
        raise ModelDataError(
            f"{path.name}: expected a pack of crops with {', '.join(_NAMES)}; it is missing, "
            f"damaged or of another layout ({error})."
        ) from error


def write_pack(path: Path, pack: CropPack) -> None:
    """Write ``pack`` to ``path``, whole or not at all."""
    arrays = {name: getattr(pack, name) for name in _NAMES} | {"note": np.array(pack.note)}
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


def make_pack(
    pictures: Sequence[np.ndarray],
    keypoints: np.ndarray,
    *,
    dataset: str,
    groups: Sequence[str],
    subset: str = "",
    quality: int = 90,
) -> CropPack:
    """A pack of RGB ``pictures`` uint8 (H, W, 3) with ``keypoints`` (n, 17, 3)."""
    files = [_encode(picture, quality) for picture in pictures]
    count = len(files)
    return CropPack(
        image=np.concatenate(files) if files else np.zeros(0, np.uint8),
        offset=np.cumsum([0, *map(len, files)]).astype(np.int64),
        keypoints=np.asarray(keypoints, np.float32).reshape(count, NUM_KEYPOINTS, 3),
        dataset=np.array([dataset] * count, dtype=str),
        group=np.array(list(groups), dtype=str),
        subset=np.array([subset] * count, dtype=str),
        size=np.array([p.shape[1::-1] for p in pictures], np.int16).reshape(count, 2),
    )


def _encode(picture: np.ndarray, quality: int) -> np.ndarray:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].ravel()


def join(first: CropPack, second: CropPack) -> CropPack:
    """Both packs as one; the rows of ``second`` follow those of ``first``."""
    columns = ("image", "keypoints", "dataset", "group", "subset", "size")
    joined = {name: np.concatenate([getattr(first, name), getattr(second, name)])
              for name in columns}  # fmt: skip
    offset = np.concatenate([first.offset, second.offset[1:] + first.offset[-1]])
    notes = [pack.note for pack in (first, second) if pack.note]
    return CropPack(offset=offset, **joined, note=" ".join(notes))


# ---- training and validation ---------------------------------------------------------------


def split(pack: CropPack) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """(rows to train on, rows of each validation set by name); groups stay whole.

    Held out are COCO's val2017 and a fixed share of the groups of LSP Extended, chosen by their
    names, so that every training is judged on the same people, whatever its seed. Raises LeakError
    when a group or a picture is on both sides, ModelDataError when nothing is left to train on.
    """
    coco = (pack.dataset == "coco_subset") & (pack.subset == "val2017")
    sports = (pack.dataset == "lspet") & np.array([_held_out(str(g)) for g in pack.group], bool)
    held_out = coco | sports
    train = np.flatnonzero(~held_out)
    if not len(train):
        raise ModelDataError(
            "The pack holds nothing to train on: all its groups are held out. Add people of others."
        )
    check_split(pack, train, np.flatnonzero(held_out))
    sets = zip(VALIDATION, (coco, sports), strict=True)
    return train, {name: np.flatnonzero(rows) for name, rows in sets if rows.any()}


def check_split(pack: CropPack, train: np.ndarray, held_out: np.ndarray) -> None:
    """Raise LeakError when a group or a picture is both trained on and held out."""
    rows = [*train.tolist(), *held_out.tolist()]
    splits.check_apart(
        [f"crop {row}" for row in rows],
        ["training"] * len(train) + ["held out"] * len(held_out),
        {
            "are of one group, {}": [str(pack.group[row]) for row in rows],
            "are the same picture": [pack.picture_digest(row) for row in rows],
        },
    )


def _held_out(group: str) -> bool:
    """Is a group of LSP Extended held out? Decided by the first bytes of its name's hash."""
    first = int.from_bytes(hashlib.sha256(f"held out {group}".encode()).digest()[:4], "big")
    return first < HELD_OUT_SHARE * 2**32
