"""The bar's path as plain data for JSON, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gymform.bar.carrier import Bar

_PLACES = {"xy": 2, "r": 1, "velocity": 2, "still": 2}
"""The arrays with numbers for each frame, and how many columns each has."""

_DIGITS = 2


def bar_as_dict(bar: Bar) -> dict[str, Any]:
    """What is said of a bar, without its path."""
    said: dict[str, Any] = {
        "found": bar.found,
        "marked": bar.marked,
        "plate_mm": bar.plate_mm,
        "mm_per_px": bar.mm_per_px,
        "aspect": None if np.isnan(bar.aspect) else round(bar.aspect, 3),
        "seen": round(bar.seen, 3),
        "reasons": list(bar.reasons),
    }
    if bar.far_r is not None:
        said["far_r"] = round(bar.far_r, _DIGITS)
    return said


def path_as_dict(bar: Bar) -> dict[str, list[Any]]:
    """The path: a row for each frame, None where it is not known."""
    found: dict[str, list[Any]] = {
        name: _rows(np.asarray(getattr(bar, name), np.float64)) for name in _PLACES
    }
    found |= {name: getattr(bar, name).astype(int).tolist() for name in ("observed", "lifting")}
    if bar.far is not None:
        found["far"] = _rows(bar.far)
    return found


def bar_from_dicts(said: Mapping[str, Any], path: Mapping[str, Any], time_s: np.ndarray) -> Bar:
    """The inverse of both, for a clip whose frames are at ``time_s`` (T,).

    Raises ValueError, KeyError or TypeError for anything else.
    """
    count = len(time_s)
    arrays = {name: _array(path[name], count, columns) for name, columns in _PLACES.items()}
    flags = {name: _array(path[name], count, 1) > 0 for name in ("observed", "lifting")}
    far, far_r = path.get("far"), said.get("far_r")  # older files have neither
    scale, aspect = said["mm_per_px"], said["aspect"]
    return Bar(
        time_s=time_s,
        aspect=float("nan") if aspect is None else _positive(aspect),
        mm_per_px=None if scale is None else _positive(scale),
        plate_mm=_positive(said["plate_mm"]),
        reasons=tuple(str(reason) for reason in said["reasons"]),
        marked=bool(said["marked"]),
        far=None if far is None else _array(far, count, 2),
        far_r=None if far_r is None else _positive(far_r),
        **arrays,
        **flags,
    )


def _rows(values: np.ndarray) -> list[Any]:
    """Rounded numbers, None in place of rows that hold a NaN."""
    known = np.isfinite(values).reshape(len(values), -1).all(axis=1).tolist()
    rows = values.round(_DIGITS).tolist()
    return [row if ok else None for row, ok in zip(rows, known, strict=True)]


def _positive(number: Any) -> float:
    if not 0 < float(number) < 1e6:
        raise ValueError(f"the bar: expected a number above 0, got {number!r}")
    return float(number)


def _array(rows: list[Any], count: int, columns: int) -> np.ndarray:
    """Rows as float64 (count, columns) or, of one column, (count,); NaN for None."""
    nothing = [float("nan")] * columns if columns > 1 else float("nan")
    try:
        found = np.array([nothing if row is None else row for row in rows], np.float64)
    except OverflowError as error:
        raise ValueError("the path of the bar: a number is too large") from error
    shape = (count, columns) if columns > 1 else (count,)
    if found.shape != shape:
        raise ValueError(f"the path of the bar: expected {shape}, got {found.shape}")
    return found
