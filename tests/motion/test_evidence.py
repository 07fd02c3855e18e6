"""The gate: joints count where they were seen, and what speaks against the others is said."""

import re
from dataclasses import replace

import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.motion.clean import clean
from gymform.motion.evidence import Doubt, evidence_of, joint_name
from tests.motion.makers import sparsely, squat_sequence

SOME = slice(60, 75)


def changed(joint: int, **how):
    """Two squats with ``xy``, ``score`` or both of a joint changed in some frames."""
    pose = squat_sequence()
    for name, value in how.items():
        array = getattr(pose, name).copy()
        array[SOME, joint] = value
        pose = replace(pose, **{name: array})
    return pose


def doubts(pose):
    return evidence_of(pose, clean(pose))


def test_a_clear_clip_is_seen_throughout():
    evidence = doubts(squat_sequence())
    assert evidence.seen.all()
    assert evidence.why_not(sk.HIPS, range(200)) is None


@pytest.mark.parametrize(
    ("pose", "kind", "words"),
    [
        (changed(sk.LEFT_HIP, score=0.4), Doubt.NOT_SURE, "is not seen clearly"),
        (changed(sk.LEFT_HIP, score=0.0, xy=np.nan), Doubt.MISSING, "is hidden"),
        (changed(sk.LEFT_HIP, xy=(320, 359)), Doubt.OUTSIDE, "edge of the picture"),
    ],
    ids=["score", "missing", "edge"],
)
def test_each_doubt_has_its_words_joint_and_seconds(pose, kind, words):
    evidence = doubts(pose)
    assert (evidence.doubt[62:73, sk.LEFT_HIP] == kind).all()
    said = evidence.why_not(sk.HIPS, range(55, 80))
    assert said.startswith("the left hip ")
    assert words in said
    assert re.search(r" from (1\.9|2\.0) to 2\.[4-6] s$", said)


def test_a_jump_is_doubted_on_both_sides():
    pose = squat_sequence()
    xy = pose.xy.copy()
    xy[60:, sk.RIGHT_WRIST] += 90
    evidence = doubts(replace(pose, xy=xy))
    assert (evidence.doubt[58:62, sk.RIGHT_WRIST] >= Doubt.JUMPS).all()
    assert evidence.doubt[50, sk.RIGHT_ELBOW] == Doubt.NONE


def test_a_cut_is_no_jump():
    pose = squat_sequence()
    xy = pose.xy.copy()
    xy[100:] -= 60
    shots = np.where(np.arange(len(pose)) < 100, 0, 1).astype(np.int32)
    evidence = doubts(replace(pose, xy=xy, shots=shots))
    assert not (evidence.doubt == Doubt.JUMPS).any()


def test_a_bone_that_is_too_long_is_doubted_at_its_end():
    pose = squat_sequence()
    xy = pose.xy.copy()
    xy[:, sk.LEFT_ANKLE, 0] += 110
    evidence = doubts(replace(pose, xy=xy))
    assert (evidence.doubt[:, sk.LEFT_ANKLE] == Doubt.BONE).mean() > 0.9
    assert (evidence.doubt[:, sk.LEFT_KNEE] == Doubt.NONE).all()


def test_nothing_counts_while_the_picture_stands_still():
    shots = np.zeros(210, np.int32)
    shots[SOME] = -1
    evidence = doubts(replace(squat_sequence(), shots=shots))
    assert (evidence.doubt[SOME] == Doubt.STAND).all()
    assert "stands still" in evidence.why_not(sk.KNEES, range(60, 75))


def test_names_are_plain():
    assert joint_name(sk.LEFT_HIP) == "left hip"


# ---- frames that no network looked at


def test_an_interpolated_frame_is_never_seen_but_known():
    pose = sparsely(squat_sequence())
    evidence = doubts(pose)
    skipped = pose.interpolated
    assert skipped.any()
    assert (evidence.doubt[skipped] == Doubt.INTERPOLATED).all()
    assert not evidence.seen[skipped].any()
    assert evidence.seen[~skipped].all()
    assert evidence.known.all()
    assert "was not looked at" in evidence.why_not(sk.HIPS, np.flatnonzero(skipped))


def test_it_has_the_doubts_of_the_frames_beside_it():
    evidence = doubts(sparsely(changed(sk.LEFT_HIP, score=0.4)))
    # 60, 65 and 70 were looked at and are doubtful: so is what lies beside them
    assert (evidence.doubt[56:75, sk.LEFT_HIP] == Doubt.NOT_SURE).all()
    assert (evidence.doubt[[54, 76], sk.LEFT_HIP] == Doubt.INTERPOLATED).all()
    said = evidence.why_not(sk.HIPS, range(40, 80))
    assert said == "the left hip is not seen clearly from 1.9 to 2.5 s"


def test_a_jump_is_found_between_the_frames_that_were_looked_at():
    pose = squat_sequence()
    xy = pose.xy.copy()
    xy[60:, sk.RIGHT_WRIST] += 180
    evidence = doubts(sparsely(replace(pose, xy=xy)))
    assert (evidence.doubt[55:61, sk.RIGHT_WRIST] >= Doubt.JUMPS).all()
    assert (evidence.doubt[20:40, sk.RIGHT_WRIST] <= Doubt.INTERPOLATED).all()
