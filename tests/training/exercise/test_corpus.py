"""The corpus: classes from the data, keypoints cut to the repetition, conditions in words."""

from dataclasses import replace

import numpy as np
import pytest

from gymform.dataset.items import REJECTED
from gymform.dataset.reviews import ReviewStore
from gymform.errors import DatasetError, ModelDataError
from gymform.training.exercise import corpus as corpora
from gymform.training.exercise.corpus import conditions, label_all, order_classes, read_corpus, trim
from tests.exercise.makers import add_clip, make_dataset
from tests.motion.makers import sequence, squat_sequence


@pytest.fixture
def dataset(tmp_path):
    return make_dataset(tmp_path / "lifts")


def test_classes_and_their_number_come_from_the_data(dataset):
    corpus = read_corpus(dataset)
    assert corpus.classes == ("squat", "wave")
    assert corpus.clips == corpus.groups == {"squat": 5, "wave": 5}
    assert [corpus.classes[i] for i in corpus.labels] == [x.exercise for x in corpus.examples]


def test_five_other_exercises_need_no_code(tmp_path):
    with ReviewStore.open(tmp_path, create=True) as store:
        for exercise in ("lunge", "swing", "row", "curl", "press"):
            for number in range(3):
                add_clip(store, number, exercise, f"{exercise} {number}")
    assert read_corpus(tmp_path).classes == ("curl", "lunge", "press", "row", "swing")


def test_only_what_was_accepted_counts(dataset):
    with ReviewStore.open(dataset) as store:
        add_clip(store, 90, "squat", "late", verdict=REJECTED)
        add_clip(store, 91, "squat", "late", verdict=None)
    assert len(read_corpus(dataset)) == 10


def test_relabelling_and_trimming_count(dataset):
    with ReviewStore.open(dataset) as store:
        item = store.judged()[0].item
        store.trim(item.id, 0.5, 1.5, reviewer="me")
        store.relabel(item.id, "wave" if item.exercise == "squat" else "squat", reviewer="me")
    corpus = read_corpus(dataset)
    (row,) = (i for i, example in enumerate(corpus.examples) if example.item_id == item.id)
    assert corpus.tracks[row].label != item.exercise
    assert corpus.tracks[row].pose.time_s[0] == pytest.approx(0.5, abs=0.07)
    assert corpus.tracks[row].pose.time_s[-1] == pytest.approx(1.5, abs=0.07)
    wide = corpora.load_track(corpus.examples[row], 0.3)
    assert wide.time_s[[0, -1]] == pytest.approx([0.2, 1.8], abs=0.07)


def test_chosen_classes_make_the_rest_other(dataset):
    assert read_corpus(dataset, ("squat",)).classes == ("squat", "other")
    with pytest.raises(
        ModelDataError, match=r"expected accepted exercises \(squat, wave\), got lunge"
    ):
        read_corpus(dataset, ("lunge",))
    assert label_all(["a", "b"]) == ["a", "b"]
    assert order_classes(["other", "zercher", "arm"]) == ("arm", "zercher", "other")


@pytest.mark.parametrize(
    ("labels", "groups", "words"),
    [
        ([], [], "Nothing was accepted"),
        (["squat"] * 4, list("abcd"), "Only 'squat' was accepted"),
        (["squat"] * 3 + ["row"] * 9, list("abc") + ["d"] * 9, r"Too few .*: row \(1\)"),
    ],
)
def test_too_little_is_refused_in_words(labels, groups, words):
    with pytest.raises(ModelDataError, match=words):
        corpora.check_classes(labels, groups)


def test_no_data_set_is_said_to_be_none(tmp_path):
    with pytest.raises(DatasetError):
        read_corpus(tmp_path / "nothing")


def test_damaged_keypoints_name_the_clip(dataset):
    path = next((dataset / "poses").iterdir())
    path.write_bytes(b"no zip")
    with pytest.raises(ModelDataError, match=r"(squat|wave)-\d\.mp4: .*Extract"):
        read_corpus(dataset)


def test_trimming_keeps_the_clip_s_own_seconds_and_a_few_frames():
    pose = squat_sequence(30.0, 4.0)
    part = trim(pose, 1.0, 2.0)
    assert (part.time_s[0], part.time_s[-1], len(part)) == (1.0, 2.0, 31)
    np.testing.assert_array_equal(part.xy, pose.xy[30:61])
    assert trim(pose, 0.0, 4.0) is pose
    assert len(trim(pose, 1.001, 1.002)) == corpora.MIN_FRAMES


def test_the_digest_follows_everything_that_is_learned_from(dataset):
    corpus = read_corpus(dataset)
    relabelled = read_corpus(dataset, ("squat",))
    fewer = replace(corpus, examples=corpus.examples[1:], tracks=corpus.tracks[1:])
    assert len({corpus.digest(), relabelled.digest(), fewer.digest()}) == 3
    assert read_corpus(dataset).digest() == corpus.digest()


# ---- conditions


def turned(degrees):
    """A squat seen from ``degrees`` aside of the front: widths shrink."""
    pose = squat_sequence(15.0, 3.0)
    xy = pose.xy.copy()
    centre = xy[:, 5:7, 0].mean(1, keepdims=True)
    xy[..., 0] = centre + (xy[..., 0] - centre) * np.cos(np.radians(degrees))
    return sequence(xy, pose.time_s)


@pytest.mark.parametrize(("degrees", "view"), [(0, "front"), (60, "oblique"), (85, "side")])
def test_the_view_follows_the_shoulders(dataset, degrees, view):
    example = read_corpus(dataset).examples[0]
    assert conditions(example, turned(degrees))["view"] == view


@pytest.mark.parametrize(
    ("problems", "camera"),
    [(None, "unknown"), (("jitter",), "still"), (("camera motion",), "moving")],
)
def test_the_camera_is_what_extraction_noted(dataset, problems, camera):
    example = replace(read_corpus(dataset).examples[0], problems=problems)
    assert conditions(example, turned(0))["camera"] == camera


def test_coverage_and_a_body_that_cannot_be_measured(dataset):
    example = read_corpus(dataset).examples[0]
    xy = turned(0).xy.copy()
    xy[:10] = np.nan
    assert conditions(example, sequence(xy, turned(0).time_s))["coverage"] == "70 to 95 %"
    nobody = sequence(np.full((9, 17, 2), np.nan), np.arange(9) / 30)
    assert conditions(example, nobody) == {
        "view": "unknown", "camera": "still", "coverage": "under 70 %"
    }  # fmt: skip
