"""Keypoint files: the exact round trip, and how malicious files are refused."""

import functools
import io
import json
import os
import random
import signal
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gymform import limits
from gymform.errors import PoseFileError
from gymform.pose import files
from gymform.pose.files import load_poses, read_arrays, save_poses
from gymform.types import PoseSequence, Provenance

MUTATIONS = int(os.environ.get("GYMFORM_NPZ_MUTATIONS", "400"))
"""How many damaged files one run tries; 5,000 for a thorough check."""

FINITE = st.floats(-(2.0**100), 2.0**100, width=32)


def make_pose(frames: int = 12, seed: int = 0, **changes) -> PoseSequence:
    """A plausible PoseSequence with some keypoints and one whole frame missing."""
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 480, (frames, 17, 2)).astype(np.float32)
    score = rng.uniform(0.1, 1, (frames, 17)).astype(np.float32)
    boxes = rng.uniform(0, 480, (frames, 4)).astype(np.float32)
    missing = rng.random((frames, 17)) < 0.1
    missing[frames // 2] = True
    xy[missing], score[missing], boxes[frames // 2] = np.nan, 0, np.nan
    fields = {
        "xy": xy,
        "score": score,
        "boxes": boxes,
        "time_s": np.cumsum(rng.uniform(0.01, 0.05, frames)),
        "image_size": (640, 480),
        "provenance": Provenance(network="vitpose-s", weights_sha256="ab" * 32, flip_test=True),
        "shots": np.sort(rng.integers(0, 3, frames)).astype(np.int32),
        "peaks": rng.uniform(0, 480, (frames, 17, 3, 3)).astype(np.float32),
    }
    return PoseSequence(**{**fields, **changes})


def same(first: PoseSequence, second: PoseSequence) -> bool:
    """Equal to the last bit, NaN payloads and negative zeros included."""
    arrays = ("xy", "score", "boxes", "time_s", "shots", "peaks")
    return (
        all(getattr(first, a).tobytes() == getattr(second, a).tobytes() for a in arrays)
        and first.image_size == second.image_size
        and first.provenance == second.provenance
    )


@st.composite
def pose_sequences(draw) -> PoseSequence:
    frames = draw(st.integers(1, 6))
    xy = draw(hnp.arrays(np.float32, (frames, 17, 2), elements=FINITE))
    score = draw(hnp.arrays(np.float32, (frames, 17), elements=st.floats(0, 1, width=32)))
    missing = draw(hnp.arrays(np.bool_, (frames, 17)))
    xy[missing], score[missing] = np.nan, 0
    box = st.one_of(FINITE, st.just(float("nan")))
    steps = draw(st.lists(st.floats(1e-6, 1e3), min_size=frames, max_size=frames))
    text = st.text(max_size=20)
    return PoseSequence(
        xy=xy,
        score=score,
        boxes=draw(hnp.arrays(np.float32, (frames, 4), elements=box)),
        time_s=np.cumsum(steps),
        image_size=(draw(st.integers(1, 10_000)), draw(st.integers(1, 10_000))),
        provenance=Provenance(
            network=draw(text),
            weights_sha256=draw(text),
            decoder=draw(text),
            flip_test=draw(st.booleans()),
            gymform_version=draw(text),
            clip_sha256=draw(text),
            schema=draw(st.integers(0, 10)),
            note=draw(text),
        ),
        shots=np.sort(draw(hnp.arrays(np.int32, frames, elements=st.integers(0, 9)))),
        peaks=draw(
            hnp.arrays(np.float32, (frames, 17, draw(st.integers(0, 3)), 3), elements=FINITE)
        ),
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(pose=pose_sequences())
def test_round_trip_is_exact_and_bytes_are_deterministic(pose, tmp_path_factory):
    folder = tmp_path_factory.mktemp("poses")
    save_poses(folder / "one.npz", pose)
    loaded = load_poses(folder / "one.npz")
    assert same(loaded, pose)
    save_poses(folder / "two.npz", loaded)
    assert (folder / "one.npz").read_bytes() == (folder / "two.npz").read_bytes()


def test_schema_1_is_read_as_one_shot_without_peaks(tmp_path):
    path = tmp_path / "first.npz"
    path.write_bytes(with_meta())
    loaded, pose = load_poses(path), make_pose()
    np.testing.assert_array_equal(loaded.xy, pose.xy)
    assert (loaded.shots == 0).all()
    assert loaded.peaks.shape == (len(pose), 17, 0, 3)


@pytest.mark.parametrize("left_out", ["shots", "peaks"])
def test_half_a_schema_2_is_refused(left_out, tmp_path):
    save_poses(tmp_path / "whole.npz", make_pose())
    with zipfile.ZipFile(tmp_path / "whole.npz") as archive:
        members = [(n, archive.read(n)) for n in archive.namelist() if n != f"{left_out}.npy"]
    (tmp_path / "half.npz").write_bytes(zip_of(members))
    with pytest.raises(PoseFileError, match="members: expected"):
        load_poses(tmp_path / "half.npz")


def test_too_many_peaks_are_refused(tmp_path):
    save_poses(tmp_path / "many.npz", make_pose(peaks=np.zeros((12, 17, 9, 3), np.float32)))
    with pytest.raises(PoseFileError, match="peaks"):
        load_poses(tmp_path / "many.npz")


def test_order_in_memory_does_not_show_in_the_file(tmp_path):
    pose = make_pose()
    fortran = make_pose(xy=np.asfortranarray(pose.xy), score=np.asfortranarray(pose.score))
    save_poses(tmp_path / "c.npz", pose)
    save_poses(tmp_path / "f.npz", fortran)
    assert (tmp_path / "c.npz").read_bytes() == (tmp_path / "f.npz").read_bytes()


def test_any_tool_can_open_the_file(tmp_path):
    pose = make_pose()
    save_poses(tmp_path / "a.npz", pose)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as plain:
        meta = json.loads(str(plain["meta"]))
        np.testing.assert_array_equal(plain["xy"], pose.xy)
    assert meta["schema"] == files.SCHEMA
    assert meta["image_size"] == [640, 480]
    assert meta["provenance"]["network"] == "vitpose-s"


def test_saving_refuses_what_loading_would(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MAX_NPZ_BYTES", 300_000)
    with pytest.raises(PoseFileError, match="Use a shorter clip"):
        save_poses(tmp_path / "long.npz", make_pose(frames=1000))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_reported(tmp_path):
    (tmp_path / "file").write_bytes(b"in the way")
    with pytest.raises(PoseFileError, match=r"a\.npz cannot be written") as caught:
        save_poses(tmp_path / "file" / "a.npz", make_pose())
    assert str(tmp_path) not in str(caught.value)


# --- the older layout ---------------------------------------------------------------------------


def write_older(path: Path, reconstruction: np.ndarray) -> Path:
    np.savez_compressed(path, reconstruction=reconstruction)
    return path


def test_older_layout_with_two_columns(tmp_path):
    xy = make_pose().xy.astype(np.float64)
    pose = load_poses(write_older(tmp_path / "old.npz", xy))
    np.testing.assert_array_equal(pose.xy, xy.astype(np.float32))
    np.testing.assert_array_equal(pose.score, np.isfinite(xy).all(-1))
    np.testing.assert_allclose(pose.time_s, np.arange(12) / 30)
    assert pose.image_size == tuple(int(v) for v in np.floor(np.nanmax(xy, axis=(0, 1))) + 1)
    assert np.isnan(pose.boxes[6]).all()
    np.testing.assert_array_equal(pose.boxes[0, :2], np.nanmin(pose.xy[0], axis=0))
    np.testing.assert_array_equal(pose.boxes[0, 2:], np.nanmax(pose.xy[0], axis=0))
    assert "30 frames a second" in pose.provenance.note
    assert pose.provenance.schema == 0


@pytest.mark.parametrize(
    ("third", "kind"),
    [
        (np.linspace(0, 1, 12 * 17).reshape(12, 17), "score"),
        (np.linspace(-1, 1, 12 * 17).reshape(12, 17), "depth"),
        (np.linspace(0, 300, 12 * 17).reshape(12, 17), "depth"),
        (np.zeros((12, 17)), "depth"),
    ],
)
def test_older_layout_with_a_third_column(tmp_path, third, kind):
    xy = np.full((12, 17, 2), 5.0)
    xy[3, 4] = np.nan
    xyz = np.concatenate([xy, third[..., None]], axis=-1)
    pose = load_poses(write_older(tmp_path / "old.npz", xyz))
    expected = third.astype(np.float32) if kind == "score" else np.ones((12, 17), np.float32)
    expected[3, 4] = 0
    np.testing.assert_array_equal(pose.score, expected)
    assert f"third column: {kind}" in pose.provenance.note


def test_older_poses_keep_their_note_when_saved_anew(tmp_path):
    older = load_poses(write_older(tmp_path / "old.npz", np.full((3, 17, 2), 5.0)))
    save_poses(tmp_path / "new.npz", older)
    assert same(load_poses(tmp_path / "new.npz"), older)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0, 17, 2)),
        np.zeros((4, 16, 2)),
        np.zeros((4, 17, 4)),
        np.zeros((4, 34)),
        np.full((4, 17, 2), np.inf),
        np.full((4, 17, 2), 1e300),
        np.full((4, 17, 2), "12"),
        np.zeros((4, 17, 2), complex),
        np.zeros((4, 17, 2), bool),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_older_layout_refused(tmp_path, array):
    with pytest.raises(PoseFileError, match=r"old\.npz .*reconstruction"):
        load_poses(write_older(tmp_path / "old.npz", array))


# --- malicious files ----------------------------------------------------------------------------


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version=(1, 0), allow_pickle=array.dtype.hasobject)
    return buffer.getvalue()


def npy_header(shape: str, dtype: str, data: bytes = b"") -> bytes:
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + data


def good_members() -> dict[str, bytes]:
    """The members of a valid file, by name."""
    buffer = Path(os.environ["GYMFORM_HOME"]) / "good.npz"
    save_poses(buffer, make_pose())
    with zipfile.ZipFile(buffer) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zip_of(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return buffer.getvalue()


def with_member(name: str, data: bytes) -> bytes:
    return zip_of(list({**good_members(), name: data}.items()))


def with_array(name: str, change) -> bytes:
    """A changed file with a correct checksum: only the checks of PoseSequence can refuse it."""
    pose = make_pose()
    arrays = {n: np.ascontiguousarray(getattr(pose, n)) for n in ("xy", "score", "boxes", "time_s")}
    arrays[name] = change(arrays[name].copy())
    return sealed(arrays)


def with_meta(**changes) -> bytes:
    pose = make_pose()
    arrays = {n: np.ascontiguousarray(getattr(pose, n)) for n in ("xy", "score", "boxes", "time_s")}
    return sealed(arrays, **changes)


def sealed(arrays: dict[str, np.ndarray], **changes) -> bytes:
    meta = {"schema": 1, "image_size": [640, 480], "provenance": {}, **changes}
    text = json.dumps({**meta, "sha256": files._digest(arrays, meta)})
    members = {**arrays, "meta": np.array(text)}
    return zip_of([(f"{name}.npy", npy(array)) for name, array in members.items()])


def put(array: np.ndarray, index, value) -> np.ndarray:
    array[index] = value
    return array


def patched(data: bytes, offset_in_entry: int, value: bytes, *, entry: int = 0) -> bytes:
    """``data`` with bytes of one central directory entry replaced."""
    position = -1
    for _ in range(entry + 1):
        position = data.index(b"PK\x01\x02", position + 1)
    start = position + offset_in_entry
    return data[:start] + value + data[start + len(value) :]


def forged_smaller_shape() -> bytes:
    """xy announces fewer frames than its bytes hold: np.load would never reach the CRC."""
    members = good_members()
    data = members["xy.npy"].replace(b"(12, 17, 2)", b"(3, 17, 2) ")
    assert data != members["xy.npy"]
    return with_member("xy.npy", data)


def many_members() -> bytes:
    return zip_of([(f"a{i}.npy", b"") for i in range(5000)])


@functools.cache
def lying_bomb() -> bytes:
    """Deflated zeros whose directory entry announces only a hundred bytes."""
    data = zip_of([("reconstruction.npy", bytes(100 * 2**20))], zipfile.ZIP_DEFLATED)
    return patched(data, 24, (100).to_bytes(4, "little"))


@functools.cache
def bomb() -> bytes:
    shape = (2**18, 17, 3)  # 107 MB
    header = npy_header(str(shape), "<f8")
    data = header + bytes(8 * int(np.prod(shape)))
    return zip_of([("reconstruction.npy", data)], zipfile.ZIP_DEFLATED)


class Evil:
    """Unpickling this would leave a trace."""

    def __reduce__(self):
        return (exec, ("import os; os.environ['GYMFORM_EVIL'] = 'ran'",))


CRAFTED = {
    "empty": (lambda: b"", "zip"),
    "text": (lambda: b"#!/bin/sh\nexit 1\n" * 40, "zip"),
    "truncated": (lambda: zip_of(list(good_members().items()))[:-500], "zip"),
    "trailing data": (lambda: zip_of(list(good_members().items())) + b"PK" * 40, "zip"),
    "bomb": (bomb, "bytes unpacked"),
    "lying bomb": (lying_bomb, "expected"),
    "many members": (many_members, "at most 32"),
    "forged larger shape": (
        lambda: zip_of([("reconstruction.npy", npy_header("(99999999, 17, 2)", "<f8"))]),
        "shape",
    ),
    "forged smaller shape": (forged_smaller_shape, "xy"),
    "negative shape": (
        lambda: zip_of([("reconstruction.npy", npy_header("(-2, -17, 2)", "<f4", bytes(272)))]),
        "shape",
    ),
    "overflowing shape": (
        lambda: zip_of([("reconstruction.npy", npy_header(f"({2**62}, 17, 4)", "<f4"))]),
        "shape",
    ),
    "object array": (
        lambda: zip_of([("reconstruction.npy", npy(np.array([Evil()], dtype=object)))]),
        "numbers or text",
    ),
    "object member": (
        lambda: with_member("xy.npy", npy(np.array([Evil()], dtype=object))),
        "xy: expected an array of numbers",
    ),
    "extra member": (lambda: with_member("extra.npy", npy(np.zeros(3))), "extra"),
    "missing member": (
        lambda: zip_of([m for m in good_members().items() if m[0] != "boxes.npy"]),
        "boxes",
    ),
    "duplicate members": (
        lambda: zip_of([*good_members().items(), ("xy.npy", npy(make_pose(seed=1).xy))]),
        "every name once",
    ),
    "path traversal": (lambda: with_member("../../xy.npy", npy(np.zeros(3))), "plain names"),
    "absolute name": (lambda: with_member("/etc/x.npy", npy(np.zeros(3))), "plain names"),
    "not npy": (lambda: with_member("run.py", b"print(1)"), "plain names"),
    "encrypted flag": (
        lambda: patched(zip_of(list(good_members().items())), 8, b"\x01\x00"),
        "encrypted",
    ),
    "exotic packing": (lambda: zip_of(list(good_members().items()), zipfile.ZIP_LZMA), "method 14"),
    "wrong dtype": (lambda: with_array("xy", lambda a: a.astype(np.float64)), "xy: expected float"),
    "big-endian": (lambda: with_array("time_s", lambda a: a.astype(">f8")), "time_s"),
    "wrong shape": (lambda: with_array("score", lambda a: a[:, :16]), "score"),
    "short array": (lambda: with_array("boxes", lambda a: a[:-1]), "boxes"),
    "scalar": (lambda: with_array("time_s", lambda a: a[0]), "xy|time_s"),
    "structured": (
        lambda: with_member("xy.npy", npy(np.zeros(3, [("a", "f4"), ("b", "f4")]))),
        "numbers or text",
    ),
    "NaN time": (lambda: with_array("time_s", lambda a: put(a, 3, np.nan)), "time_s"),
    "falling time": (lambda: with_array("time_s", lambda a: a[::-1].copy()), "time_s"),
    "NaN score": (lambda: with_array("score", lambda a: put(a, 0, np.nan)), "score"),
    "score above 1": (lambda: with_array("score", lambda a: put(a, 0, 1.5)), "score|missing"),
    "half a keypoint": (lambda: with_array("xy", lambda a: put(a, (0, 0, 0), np.nan)), "missing"),
    "infinite xy": (lambda: with_array("xy", lambda a: put(a, (0, 0), np.inf)), "xy"),
    "infinite box": (lambda: with_array("boxes", lambda a: put(a, 0, -np.inf)), "boxes"),
    "no frames": (
        lambda: sealed(
            {n: np.ascontiguousarray(getattr(make_pose(), n)[:0]) for n in files._FIRST_ARRAYS}
        ),
        "at least one frame",
    ),
    "other schema": (lambda: with_meta(schema=2), "schema: expected 1 by its arrays"),
    "true as schema": (lambda: with_meta(schema=True), "schema: expected 1"),
    "no image size": (lambda: with_meta(image_size=None), "image_size"),
    "image size zero": (lambda: with_meta(image_size=[0, 480]), "image_size"),
    "unknown provenance": (lambda: with_meta(provenance={"x": 1}), "provenance"),
    "provenance type": (lambda: with_meta(provenance={"flip_test": "no"}), "flip_test"),
    "other checksum": (
        lambda: with_member("xy.npy", npy(make_pose(seed=1).xy)),
        "sha256",
    ),
    "meta not json": (lambda: with_member("meta.npy", npy(np.array("{"))), "damaged"),
    "meta too deep": (lambda: with_member("meta.npy", npy(np.array("[" * 30_000))), "damaged"),
    "meta a list": (lambda: with_member("meta.npy", npy(np.array("[]"))), "meta"),
    "meta not text": (lambda: with_member("meta.npy", npy(np.zeros(3))), "meta"),
    "meta beyond unicode": (
        lambda: with_member("meta.npy", npy(np.full(1, 2**31, "<u4").view("<U1").reshape(()))),
        "Unicode",
    ),
    "name beyond unicode": (
        lambda: zip_of([("reconstruction.npy", npy(np.full(3, 2**31, "<u4").view("<U1")))]),
        "Unicode",
    ),
    "npy 2.0": (
        lambda: with_member("xy.npy", b"\x93NUMPY\x02\x00" + bytes(200)),
        r"format 1\.0",
    ),
    "python in the header": (
        lambda: with_member("xy.npy", npy_header("(__import__('os').getpid(),)", "<f4")),
        "damaged",
    ),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("kind", CRAFTED)
def test_crafted_file_is_refused_in_words(kind, tmp_path):
    make, words = CRAFTED[kind]
    path = tmp_path / "bad.npz"
    path.write_bytes(make())
    with pytest.raises(PoseFileError, match=words) as caught:
        load_poses(path)
    text = str(caught.value)
    assert text.startswith("bad.npz ")
    assert "expected" in text
    assert str(tmp_path) not in text
    assert len(text) < 500
    assert "GYMFORM_EVIL" not in os.environ


@pytest.mark.parametrize("kind", ["bomb", "lying bomb", "forged larger shape", "many members"])
def test_crafted_file_costs_no_memory(kind, tmp_path):
    path = tmp_path / "bad.npz"
    path.write_bytes(CRAFTED[kind][0]())
    tracemalloc.start()
    try:
        with pytest.raises(PoseFileError):
            load_poses(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * 2**20


def test_file_over_the_limit_is_not_even_parsed(tmp_path):
    path = tmp_path / "big.npz"
    with path.open("wb") as stream:
        stream.truncate(limits.MAX_NPZ_BYTES * 2)
    with pytest.raises(PoseFileError, match="at most"):
        load_poses(path)


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "absent.npz", tmp_path):
        with pytest.raises(PoseFileError, match="cannot be opened") as caught:
            load_poses(path)
        assert str(tmp_path) not in str(caught.value)


def test_zip_crc_alone_is_checked_to_the_last_byte(tmp_path):
    """The older layout has no checksum of its own; the CRC must see every changed byte."""
    data = zip_of([("reconstruction.npy", npy(np.ones((4, 17, 2))))])
    path = tmp_path / "old.npz"
    start = data.index(b"\x93NUMPY")
    for position in (start + 128, start + 500, data.index(b"PK\x01\x02") - 1):
        broken = bytearray(data)
        broken[position] ^= 1
        path.write_bytes(bytes(broken))
        with pytest.raises(PoseFileError, match="damaged"):
            load_poses(path)


def mutate(data: bytes, rng: random.Random) -> bytes:
    """``data`` with one random damage: bits, bytes, cuts, insertions, copies or forged numbers."""
    broken = bytearray(data)
    at, length = rng.randrange(len(data)), rng.randrange(1, 64)
    # half of all damage goes to the structure: the headers at the start, the directory at the end
    if rng.random() < 0.5:
        at = rng.choice([rng.randrange(200), len(data) - 1 - rng.randrange(400)])
    kind = rng.randrange(8)
    if kind == 0:
        broken[at] ^= 1 << rng.randrange(8)
    elif kind == 1:
        broken[at] = rng.randrange(256)
    elif kind == 2:
        del broken[at:]
    elif kind == 3:
        del broken[at : at + length]
    elif kind == 4:
        broken[at:at] = rng.randbytes(length)
    elif kind == 5:
        broken[at : at + length] = bytes(len(broken[at : at + length]))
    elif kind == 6:
        other = rng.randrange(len(data))
        broken[at : at + length] = data[other : other + length]
    else:
        value = rng.choice([0, 1, 2**16 - 1, 2**31 - 1, 2**32 - 1, len(data)])
        broken[at : at + 4] = value.to_bytes(4, "little")
    return bytes(broken)


@pytest.mark.parametrize("layout", ["schema 1", "older"])
def test_mutated_files_are_refused_or_equal(layout, tmp_path):
    path = tmp_path / "file.npz"
    if layout == "older":
        write_older(path, make_pose().xy)
    else:
        save_poses(path, make_pose())
    original, data = load_poses(path), path.read_bytes()
    rng = random.Random(20261124)
    refused = 0
    for number in range(MUTATIONS):
        path.write_bytes(mutate(data, rng))
        try:
            loaded = load_poses(path)
        except PoseFileError:
            refused += 1
            continue
        assert same(loaded, original), f"mutation {number} changed the data unnoticed"
    assert refused > MUTATIONS / 2


KILLED_WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_files import make_pose
from gymform.pose.files import save_poses
both = make_pose(400, seed=1), make_pose(400, seed=2)
for number in range(100_000):
    save_poses(Path(sys.argv[1]), both[number % 2])
    print(number, flush=True)
"""


def test_kill_during_save_leaves_a_whole_file(tmp_path):
    path = tmp_path / "poses.npz"
    both = make_pose(400, seed=1), make_pose(400, seed=2)
    project = Path(__file__).resolve().parents[2]
    for kill in range(5):
        writer = subprocess.Popen(
            [sys.executable, "-c", KILLED_WRITER, str(path), str(Path(__file__).parent)],
            stdout=subprocess.PIPE,
            cwd=project,
        )
        assert writer.stdout is not None
        for _ in range(1 + 3 * kill):
            assert writer.stdout.readline(), "the writer died by itself"
        writer.send_signal(signal.SIGKILL)
        writer.stdout.close()
        assert writer.wait() == -signal.SIGKILL
        loaded = load_poses(path)
        assert any(same(loaded, pose) for pose in both)


# --- development data ---------------------------------------------------------------------------


def test_read_arrays_reads_any_plain_npz(tmp_path):
    arrays = {
        "a": np.arange(6).reshape(2, 3),
        "f": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "name": np.array(["snatch", "übung"]),
        "empty": np.zeros((0, 3), np.uint8),
        "scalar": np.array(True),
    }
    np.savez_compressed(tmp_path / "any.npz", **arrays)
    read = read_arrays(tmp_path / "any.npz")
    assert list(read) == list(arrays)
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)


def test_read_arrays_holds_its_own_limit(tmp_path):
    np.savez_compressed(tmp_path / "any.npz", a=np.zeros(1000))
    with pytest.raises(PoseFileError, match="at most 500 bytes"):
        read_arrays(tmp_path / "any.npz", max_bytes=500)


@pytest.mark.shared
def test_read_arrays_reads_the_development_tracks(shared_data):
    tracks = read_arrays(shared_data / "tracks" / "snatch_tracks.npz")
    assert tracks["xy"].shape == (3175, 17, 2)
    assert tracks["offset"][-1] == len(tracks["xy"])
