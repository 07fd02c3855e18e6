"""Annotations corrected by teachers, and people that only teachers labelled."""

from dataclasses import replace

import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.errors import ModelDataError
from gymform.skeleton import HEAD
from gymform.training.pose.label_fusion import (
    ARMS,
    LEGS,
    MIRRORED,
    STEPS,
    ClipPeople,
    Rules,
    TeacherKeypoints,
    align_to_annotations,
    aligned_predictions,
    correct,
    correct_pack,
    full_name,
    label,
    label_clips,
    match_sides,
    read_predictions,
    split_name,
    without_clips,
    write_predictions,
)
from gymform.video.write import VideoWriter
from gymform.weights import manifest_entry
from tests.pose.packs import people, small_pack

RULES = Rules()
TEACHERS = ("movenet", "vitpose-x@0123456789ab")
CROP = np.array([100.0, 100, 150, 200])


@pytest.fixture
def person() -> np.ndarray:
    """Keypoints (17, 3) about (100, 100) px with a torso of 60 px."""
    points = np.array(
        [[100, 40], [104, 36], [96, 36], [108, 40], [92, 40], [115, 60], [85, 60], [120, 90],
         [80, 90], [122, 115], [78, 115], [110, 118], [90, 118], [110, 145], [90, 145],
         [110, 170], [90, 170]]
    )  # fmt: skip
    return np.column_stack((points, np.full(17, 2.0)))


def predictions(person: np.ndarray, score: float = 0.8) -> np.ndarray:
    variants = np.stack((person, person)).astype(float)
    variants[..., 2] = score
    return variants


def shifted(person: np.ndarray, joint: int, x: float, score: float = 0.8) -> np.ndarray:
    variants = predictions(person, score)
    variants[:, joint, 0] += x
    return variants


def nobody() -> np.ndarray:
    return np.full((2, sk.NUM_KEYPOINTS, 3), np.nan)


def test_agreed_joints_lie_between_all_and_the_face_is_added(person):
    annotation = person.copy()
    annotation[list(HEAD)] = 0
    annotation[list(sk.BODY), 0] += 4
    new = correct(annotation, [predictions(person), predictions(person)], RULES)
    moved = new[list(sk.BODY), 0] - person[list(sk.BODY), 0]
    assert (moved > 0.2).all()
    assert (moved < 1.5).all()
    assert np.allclose(new[list(HEAD)], person[list(HEAD)])


def test_what_two_teachers_see_elsewhere_moves_there(person):
    new = correct(person, [shifted(person, 9, 40), shifted(person, 9, 42)], RULES)
    assert 40 < new[9, 0] - person[9, 0] < 42
    assert np.allclose(np.delete(new, 9, 0), np.delete(person, 9, 0), atol=0.1)


def test_a_joint_that_one_teacher_contradicts_and_none_supports_is_left_out(person):
    new = correct(person, [shifted(person, 9, 40), nobody()], RULES)
    assert (new[9] == 0).all()
    assert np.allclose(np.delete(new, 9, 0), np.delete(person, 9, 0), atol=0.1)


def test_an_annotation_that_one_teacher_supports_stays(person):
    new = correct(person, [shifted(person, 9, 40), predictions(person)], RULES)
    assert np.allclose(new, person, atol=0.1)  # px; the other prediction hardly counts


def test_a_missing_joint_of_which_teachers_differ_stays_missing(person):
    annotation = person.copy()
    annotation[0] = 0
    new = correct(annotation, [shifted(person, 0, 40), predictions(person)], RULES)
    assert (new[0] == 0).all()


def test_a_missing_joint_is_added_when_the_other_teacher_found_nobody(person):
    annotation = person.copy()
    annotation[0] = 0
    new = correct(annotation, [nobody(), predictions(person)], RULES)
    assert np.allclose(new, person)


def test_an_unsure_or_unsteady_prediction_changes_nothing(person):
    variants = shifted(person, 9, 40)
    variants[:, 9, 2] = RULES.sure - 0.1
    variants[:, 10, 0] += [40, -40]
    assert np.allclose(correct(person, [variants], RULES), person)


@pytest.mark.parametrize("others", [[], [nobody()]])
def test_teachers_that_saw_somebody_else_change_nothing(person, others):
    variants = predictions(person)
    variants[..., 0] += 50
    annotation = person.copy()
    annotation[list(HEAD)] = 0
    assert (correct(annotation, [variants, *others], RULES) == annotation).all()


def test_a_person_without_annotated_body_is_not_corrected(person):
    annotation = np.zeros_like(person)
    assert (correct(annotation, [predictions(person)], RULES) == 0).all()


def test_teachers_that_found_nobody_change_nothing(person):
    assert np.allclose(correct(person, [nobody(), nobody()], RULES), person)
    assert label([nobody(), nobody()], CROP, RULES) is None


@pytest.mark.parametrize("others", [[], [nobody()]])
def test_a_sure_teacher_labels_a_person(person, others):
    variants = predictions(person)
    variants[:, 0, 2] = 0.1
    found = label([variants, *others], CROP, RULES)
    assert found is not None
    assert (found[0] == 0).all()
    assert np.allclose(found[1:], person[1:])


def test_two_teachers_label_what_both_see(person):
    found = label([shifted(person, 9, 40), predictions(person, 0.2)], CROP, RULES)
    assert found is not None
    assert (found[9] == 0).all()
    assert np.allclose(np.delete(found, 9, 0), np.delete(person, 9, 0))


@pytest.mark.parametrize("change", ["unsure", "unsteady", "elsewhere"])
def test_people_of_whom_the_teacher_is_not_sure_are_left_out(person, change):
    variants = predictions(person)
    if change == "unsure":
        variants[..., 2] = 0.2
    elif change == "unsteady":
        variants[0, :, 0] += 30
    else:
        variants[..., 0] += 60
    assert label([variants], CROP, RULES) is None


def mirrored(person: np.ndarray, limbs: np.ndarray) -> np.ndarray:
    """``person`` with left and right exchanged in some limbs."""
    confused = person.copy()
    confused[limbs] = person[MIRRORED[limbs]]
    return confused


@pytest.mark.parametrize("limbs", [ARMS, LEGS])
def test_a_teacher_that_confuses_the_sides_is_corrected(person, limbs):
    teachers = [predictions(mirrored(person, limbs)), predictions(person), predictions(person)]
    sided, corrected, disputed = match_sides(person, teachers, 60.0, RULES)
    assert np.array_equal(sided, person)
    assert np.allclose(corrected[0][..., :2], person[:, :2])
    assert not disputed.any()
    assert np.allclose(correct(person, teachers, RULES), person)


def test_where_annotation_and_teachers_differ_nobody_knows_the_sides(person):
    annotation = mirrored(person, ARMS)
    new = correct(annotation, [predictions(person), predictions(person)], RULES)
    assert (new[ARMS] == 0).all()
    assert np.allclose(np.delete(new, ARMS, 0), np.delete(person, ARMS, 0))
    assert label([predictions(person), predictions(mirrored(person, LEGS))], CROP, RULES) is None


def test_arms_at_one_place_have_no_sides(person):
    together = person.copy()
    together[[5, 7, 9]] = together[[6, 8, 10]] + [2, 0, 0]
    seen = [predictions(together), predictions(mirrored(together, ARMS)), predictions(together)]
    assert np.allclose(correct(together, seen, RULES), together, atol=2)


def test_of_a_pair_at_one_place_only_the_nearer_joint_counts(person):
    doubtful = predictions(person)
    doubtful[:, 10, :2] = doubtful[:, 9, :2] + [3, 0]
    new = correct(person, [doubtful, doubtful, doubtful], RULES)
    assert np.allclose(new, person, atol=0.1)
    _, (kept_joints,), _ = match_sides(person, [doubtful], 60.0, RULES)
    assert np.isnan(kept_joints[:, 10]).all()
    assert np.isfinite(np.delete(kept_joints, 10, 1)).all()
    _, (kept_joints, _), _ = match_sides(person * 0, [doubtful, predictions(person)], 60.0, RULES)
    assert np.isnan(kept_joints[:, 10]).all()
    _, (kept_joints,), _ = match_sides(person * 0, [doubtful], 60.0, RULES)
    assert np.isfinite(kept_joints).all()  # no other source contradicts


def crowd(person: np.ndarray, count: int) -> np.ndarray:
    """Annotations (count, 17, 3) of ``person`` rotated, moved and enlarged."""
    rng = np.random.default_rng(0)
    people = np.repeat(person[None], count, 0)
    for other in people:
        cos, sin = np.cos(angle := rng.uniform(0, 6)), np.sin(angle)
        other[:, :2] = other[:, :2] @ [[cos, sin], [-sin, cos]] * rng.uniform(0.5, 2)
        other[:, :2] += rng.uniform(-50, 50, 2)
    return people


def low_narrow_hips(people: np.ndarray) -> np.ndarray:
    """Predictions (n, 2, 17, 3) with hips two thirds as wide as annotated, and lower."""
    seen = np.repeat(people[:, None], 2, 1)
    left, right = (people[:, hip, :2] for hip in sk.HIPS)
    up = people[:, list(sk.SHOULDERS), :2].mean(1) - (left + right) / 2
    for hip, inwards in zip(sk.HIPS, (right - left, left - right), strict=True):
        seen[:, :, hip, :2] += (inwards / 6 - 0.05 * up)[:, None]
    return seen


def test_predictions_are_shifted_to_where_annotators_have_hips(person):
    people = crowd(person, 200)
    annotated, rng = people.copy(), np.random.default_rng(1)
    wrong = rng.random((200, 17)) < 0.1
    annotated[wrong, :2] += rng.uniform(-100, 100, (wrong.sum(), 2))  # outright errors
    placed = align_to_annotations(low_narrow_hips(people), annotated)
    assert np.abs(placed - people[:, None])[..., :2].max() < 1.0  # px; 5 px or more before


def test_few_annotations_shift_nothing_and_missing_predictions_stay_missing(person):
    few = low_narrow_hips(crowd(person, 20))
    np.testing.assert_array_equal(align_to_annotations(few, crowd(person, 20)), few)
    many = low_narrow_hips(crowd(person, 200))
    many[3] = np.nan
    placed = align_to_annotations(many, crowd(person, 200))
    assert np.isnan(placed[3]).all()
    assert np.isfinite(np.delete(placed, 3, 0)).all()


def test_each_source_has_hips_of_its_own(person):
    annotated = crowd(person, 240)
    names = np.repeat(["lspet", "fashion_ls"], 120)
    pack = people(240, "lspet", [f"lspet/{at}" for at in range(240)])
    pack = replace(pack, dataset=names, keypoints=annotated.astype(np.float32))
    right = np.repeat(annotated[:, None], 2, 1)
    of_pack = np.concatenate((low_narrow_hips(annotated[:120]), right[120:]))[None]
    no_clips = ClipPeople(np.empty(0, str), np.empty(0), np.empty((0, 4)))
    seen = TeacherKeypoints("", TEACHERS[:1], np.arange(240), of_pack, no_clips, of_pack[:, :0])
    assert np.abs(aligned_predictions(pack, seen)[0] - right)[..., :2].max() < 0.5


def kept(tmp_path, pack):
    """Predictions of two teachers for two variants of three people and of one in a clip, and their
    file."""
    rng = np.random.default_rng(0)
    of_pack = rng.uniform(-5, 300, (2, 3, 2, 17, 3))
    of_clips = rng.uniform(0, 300, (2, 1, 2, 17, 3))
    for points in (of_pack, of_clips):
        points[..., 2] = rng.uniform(0, 1, points.shape[:-1])
    of_pack[1, 2] = np.nan
    seen = ClipPeople(np.array(["a/b.mp4"]), np.array([1.5]), np.array([[10.0, 20, 30, 40]]))
    predictions = TeacherKeypoints(
        pack.digest(), TEACHERS, np.array([0, 2, 5]), of_pack, seen, of_clips
    )
    write_predictions(tmp_path / "answers.npz", predictions)
    return predictions, tmp_path / "answers.npz"


def test_predictions_are_read_back_to_a_sixteenth_of_a_pixel(tmp_path):
    pack = small_pack()
    predictions, path = kept(tmp_path, pack)
    again = read_predictions(path, pack)
    assert again.row.tolist() == [0, 2, 5]
    assert again.teachers == TEACHERS
    assert again.people.clip.tolist() == ["a/b.mp4"]
    assert (again.people.crop == predictions.people.crop).all()
    assert again.people.time_s.tolist() == [1.5]
    for back, points in (
        (again.of_pack, predictions.of_pack),
        (again.of_clips, predictions.of_clips),
    ):
        assert (np.isnan(back) == np.isnan(points)).all()
        assert np.nanmax(np.abs(back - points)[..., :2]) <= 0.5 / STEPS + 1e-9
        assert np.nanmax(np.abs(back - points)[..., 2]) <= 0.5 / 255 + 1e-9


def test_predictions_stored_twice_are_the_same(tmp_path):
    pack = small_pack()
    _, path = kept(tmp_path, pack)
    first = read_predictions(path, pack)
    write_predictions(path, first)
    again = read_predictions(path, pack)
    assert np.array_equal(again.of_pack, first.of_pack, equal_nan=True)
    assert np.array_equal(again.of_clips, first.of_clips)


def test_a_model_of_gymforms_is_named_with_its_version():
    assert full_name("movenet") == "movenet"
    assert split_name("movenet") == ("movenet", "")
    name, version = split_name(full_name("vitpose-ti"))
    assert name == "vitpose-ti"
    assert len(version) == 12
    assert manifest_entry("vitpose-ti").sha256.startswith(version)


def test_predictions_for_another_pack_are_rejected(tmp_path):
    _, path = kept(tmp_path, small_pack())
    with pytest.raises(ModelDataError, match="predictions for this pack"):
        read_predictions(path, people(3, "lspet", ["lspet/a", "lspet/b", "lspet/c"]))


def test_something_else_is_no_file_of_predictions(tmp_path):
    path = tmp_path / "answers.npz"
    np.savez(path, digest="x")
    with pytest.raises(ModelDataError, match="ask_teachers"):
        read_predictions(path, small_pack())
    with pytest.raises(ModelDataError, match="ask_teachers"):
        read_predictions(tmp_path / "none.npz", small_pack())


def test_a_pack_is_corrected_where_the_teachers_saw_it_and_says_so():
    pack = small_pack()
    face = np.random.default_rng(0).uniform(60, 80, (17, 2))
    truth = np.column_stack((pack.keypoints[2, :, :2].astype(float), np.full(17, 2.0)))
    truth[list(HEAD), :2] = face[list(HEAD)]
    of_pack = np.stack((predictions(truth), predictions(truth)))[:, None]
    no_clips = ClipPeople(np.empty(0, str), np.empty(0), np.empty((0, 4)))
    seen = TeacherKeypoints(
        pack.digest(), TEACHERS, np.array([2]), of_pack, no_clips, of_pack[:, :0]
    )
    taught = correct_pack(pack, seen)
    assert np.allclose(taught.keypoints[2], truth, atol=0.1)
    assert np.array_equal(np.delete(taught.keypoints, 2, 0), np.delete(pack.keypoints, 2, 0))
    assert "annotations of 1 people" in taught.note
    assert "MoveNet" in taught.note
    assert "gymform's own `vitpose-x` of sha256 0123456789ab" in taught.note


@pytest.fixture
def clip(tmp_path):
    """A second of grey, 320 x 400 px."""
    path = tmp_path / "squat" / "one.mp4"
    path.parent.mkdir()
    with VideoWriter(path, width=320, height=400, fps=10) as writer:
        for i in range(10):
            writer.write(np.full((400, 320, 3), 90 + i, np.uint8), i / 10)
    return path


ROOM_AROUND = np.array([12, 49.5, 0])
"""From the fixture's middle to that of a picture of 225 x 300 px."""


def in_clip(person: np.ndarray, times: list[float]) -> TeacherKeypoints:
    """Predictions for the same person in pictures of 225 x 300 px; none at the last time."""
    centred = person + ROOM_AROUND
    of_clips = np.stack([np.stack([predictions(centred)] * len(times))] * 2)
    of_clips[:, -1] = np.nan
    crops = np.array([[160.0, 200, 150, 200]] * len(times))
    seen = ClipPeople(np.array(["squat/one.mp4"] * len(times)), np.array(times), crops)
    return TeacherKeypoints(
        "", TEACHERS, np.empty(0, int), np.empty((2, 0, 2, 17, 3)), seen, of_clips
    )


def test_people_in_clips_are_labelled_where_the_teachers_are_sure(person, clip):
    pack = label_clips(clip.parent.parent, in_clip(person, [0.0, 0.5, 0.9]))
    assert pack.group.tolist() == ["clips/squat/one.mp4"] * 2
    assert pack.size.tolist() == [[225, 300]] * 2
    assert np.allclose(pack.keypoints, person + ROOM_AROUND, atol=0.1)
    assert abs(float(pack.rgb(1).mean()) - 95) < 3


def test_labels_that_were_made_before_are_taken_as_they_are(person, clip):
    seen = in_clip(person, [0.0, 0.5, 0.9])
    known = person + ROOM_AROUND
    known[9, 2] = 1.0
    pack = label_clips(clip.parent.parent, seen, [None, known, None])
    assert np.allclose(pack.keypoints, known[None], atol=1e-4)
    assert abs(float(pack.rgb(0).mean()) - 95) < 3


def test_clips_that_are_held_out_are_gone_and_the_others_stay(person):
    seen = in_clip(person, [0.0, 0.5, 0.9])
    seen.people.clip[1] = "squat/two.mp4"
    rest = without_clips(seen, {"squat/one.mp4"})
    assert rest.people.clip.tolist() == ["squat/two.mp4"]
    assert rest.people.time_s.tolist() == [0.5]
    assert np.array_equal(rest.of_clips, seen.of_clips[:, 1:2])
    assert rest.of_pack is seen.of_pack
    assert len(without_clips(seen, set()).people) == 3


def test_another_clip_than_the_teachers_saw_is_refused(person, clip):
    with pytest.raises(ModelDataError, match="found 1"):
        label_clips(clip.parent.parent, in_clip(person, [0.0, 0.55]))
