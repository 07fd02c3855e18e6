"""The classifier: verified weights, honest answers, `unknown` where nothing can be said."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors.torch import save_file
from scipy.special import softmax

from gymform import skeleton as sk
from gymform.errors import WeightsError
from gymform.exercise import classifier as clf
from gymform.exercise.features import NUM_FEATURES, RATE_HZ
from gymform.exercise.nearest import POSES, Bank
from gymform.exercise.networks.registry import FAMILIES
from gymform.motion.clean import clean
from gymform.motion.quality import assess
from gymform.types import OTHER, UNKNOWN
from gymform.weights import ModelEntry, set_default, sha256_of, write_entry
from tests.form.figures import deadlift, film, once
from tests.form.figures import squat as squat_figure
from tests.motion.makers import STANDING, sequence, squat, squat_sequence

CLASSES = ("snatch", "deadlift", "squat", "other")


def settings(**changes):
    values = {"classes": CLASSES, "networks": 2, "channels": 8, "features": NUM_FEATURES,
              "rate_hz": RATE_HZ, "temperature": 1.5}  # fmt: skip
    return clf.Settings(**{**values, **changes})


def networks(count=2, favourite=None, certainty=8.0):
    torch.manual_seed(0)
    made = [settings().build().eval() for _ in range(count)]
    for network in made:
        if favourite is not None:
            torch.nn.init.zeros_(network.head.weight)
            network.head.bias.data = torch.zeros(4)
            network.head.bias.data[CLASSES.index(favourite)] = certainty
    return made


def classifier(favourite=None, certainty=8.0):
    return clf.Classifier(networks(2, favourite, certainty), settings(), "made-up", "0" * 64)


def answer(pose, judge=None):
    tracks = clean(pose)
    return (judge or classifier("squat")).predict(pose, tracks, assess(pose, tracks))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of embedded weights with one exercise model, the default."""
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(tmp_path))
    path = tmp_path / "tcn.safetensors"
    clf.write_networks(path, networks())
    entry = ModelEntry("tcn", "exercise", path.name, sha256_of(path), path.stat().st_size,
                       "MIT", "made up", settings().as_config(), tmp_path)  # fmt: skip
    write_entry(entry)
    set_default(entry)
    return tmp_path


def change_entry(folder, **changes):
    path = folder / "MANIFEST.json"
    content = json.loads(path.read_text())
    content["models"][0].update(changes)
    path.write_text(json.dumps(content))


# ---- weights


def test_networks_come_back_as_they_were(folder):
    loaded = clf.load_classifier()
    assert loaded.classes == CLASSES
    assert loaded.sha256 == sha256_of(folder / "tcn.safetensors")
    pose = squat_sequence()
    direct = clf.Classifier(networks(), settings(), "x", "0" * 64)
    assert answer(pose, loaded).probabilities == answer(pose, direct).probabilities


def test_a_model_without_clips_to_compare_with_names_none(folder):
    loaded = clf.load_classifier()
    assert loaded.bank is None
    assert answer(squat_sequence(), loaded).nearest == ()


def test_clips_to_compare_with_come_with_the_networks_and_change_no_answer(folder):
    made = networks()
    seen = clf.look(made, clf.cut(clean(squat_sequence())))[1]
    poses = np.zeros((2, POSES, 17, 2), np.float32)
    bank = Bank(("squat", "lunge"), ("ann", "bob"), np.stack([seen, -seen]), poses, np.ones(2))
    path = folder / "tcn.safetensors"
    clf.write_networks(path, made, bank)
    change_entry(folder, sha256=sha256_of(path), bytes=path.stat().st_size)
    loaded = clf.load_classifier()
    found = answer(squat_sequence(), loaded)
    direct = clf.Classifier(made, settings(), "x", "0" * 64)
    assert found.probabilities == answer(squat_sequence(), direct).probabilities
    assert [one.exercise for one in found.nearest] == ["squat", "lunge"]
    assert found.nearest[0].likeness > 0.999


# ---- networks that tell more apart than is named


OUTPUTS = ("snatch", "deadlift", "row", "squat", "lunge", "other")


@given(arrays(float, (7, 6), elements=st.floats(-20, 20)))
def test_what_has_no_class_adds_its_probability_to_other(logits):
    of_classes = softmax(clf.merge(logits, OUTPUTS, CLASSES), axis=1)
    of_outputs = softmax(logits, axis=1)
    for k, name in enumerate(CLASSES):
        mine = [i for i, one in enumerate(OUTPUTS) if one == name]
        mine += [i for i, one in enumerate(OUTPUTS) if name == OTHER and one not in CLASSES]
        assert of_classes[:, k] == pytest.approx(of_outputs[:, mine].sum(1))


def test_without_more_outputs_nothing_is_merged():
    logits = np.arange(8.0).reshape(2, 4)
    assert clf.merge(logits, CLASSES, CLASSES) == pytest.approx(logits)


def test_what_has_no_class_is_answered_as_other():
    torch.manual_seed(0)
    more = settings(outputs=OUTPUTS)
    made = [more.build().eval() for _ in range(2)]
    for network in made:
        torch.nn.init.zeros_(network.head.weight)
        network.head.bias.data = torch.zeros(6)
        network.head.bias.data[OUTPUTS.index("lunge")] = 8.0
    found = answer(squat_sequence(), clf.Classifier(made, more, "x", "0" * 64))
    assert found.classes == CLASSES
    assert found.label == OTHER
    assert all(len(window.probabilities) == len(CLASSES) for window in found.windows)
    assert sum(found.probabilities) == pytest.approx(1)


@pytest.mark.parametrize("outputs", [("snatch", "other"), (*CLASSES, "row", "row")])
def test_outputs_that_do_not_fit_the_classes_are_refused(folder, outputs):
    change_entry(folder, config={**settings().as_config(), "outputs": list(outputs)})
    with pytest.raises(WeightsError, match="out of range"):
        clf.load_classifier()


def test_a_model_without_other_cannot_have_more_outputs(folder):
    config = {**settings().as_config(), "classes": ["snatch", "squat"], "outputs": list(OUTPUTS)}
    change_entry(folder, config=config)
    with pytest.raises(WeightsError, match="out of range"):
        clf.load_classifier()


def test_an_altered_file_is_not_opened(folder):
    path = folder / "tcn.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=r"tcn\.safetensors: expected sha256"):
        clf.load_classifier()


def test_an_unknown_name_lists_those_there_are(folder):
    with pytest.raises(WeightsError, match="Known: tcn"):
        clf.load_classifier("best")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"features": 12}, "Train it again"),
        ({"rate_hz": 30.0}, "Train it again"),
        ({"temperature": 0.0}, "out of range"),
        ({"networks": 0}, "out of range"),
        ({"classes": ["squat"]}, "out of range"),
        ({"classes": ["squat", "squat"]}, "out of range"),
        ({"family": "r2plus1d"}, "cannot judge keypoints"),
        ({"family": "mlp"}, "no model 'mlp'"),
        ({"family": "stgcn"}, "Train it again"),
        ({"surprise": 1}, "config"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(folder, changes, words):
    change_entry(folder, config={**settings().as_config(), **changes})
    with pytest.raises(WeightsError, match=words):
        clf.load_classifier()


@pytest.mark.parametrize("trouble", ["missing", "shape", "nan", "extra", "text"])
def test_the_first_bad_key_is_named(tmp_path, trouble):
    path = tmp_path / "a.safetensors"
    tensors = {f"0.{k}": v.clone() for k, v in networks(1)[0].state_dict().items()}
    if trouble == "missing":
        del tensors["0.head.bias"]
    elif trouble == "shape":
        tensors["0.head.bias"] = torch.zeros(5)
    elif trouble == "nan":
        tensors["0.head.bias"][0] = torch.nan
    elif trouble == "extra":
        tensors["1.head.bias"] = torch.zeros(4)
    save_file(tensors, path)
    if trouble == "text":
        path.write_text("no weights")
    with pytest.raises(WeightsError, match=r"a\.safetensors: .*(head\.bias|more than|safetensors)"):
        clf.read_networks(path, settings().build, 1)


# ---- answers


def test_a_sure_answer_needs_no_remark():
    prediction = answer(squat_sequence())
    assert (prediction.label, prediction.reason) == ("squat", None)
    assert sum(prediction.probabilities) == pytest.approx(1)
    assert prediction.confidence > 0.9


def test_other_is_an_answer_with_a_reason():
    prediction = answer(squat_sequence(), classifier("other"))
    assert prediction.label == OTHER
    assert prediction.reason == "This moves like none of snatch, deadlift and squat."
    assert prediction.probabilities[3] > 0.9


def test_an_even_vote_is_unknown():
    prediction = answer(squat_sequence(), classifier("squat", certainty=0.1))
    assert prediction.label == UNKNOWN
    assert "neither clearly" in prediction.reason


def test_a_doubtful_answer_says_so():
    prediction = answer(squat_sequence(), classifier("squat", certainty=3.0))
    assert prediction.label == "squat"
    assert "Not certain" in prediction.reason


@pytest.mark.parametrize("fps", [5.0, 30.0, 240.0])
def test_standing_still_is_unknown(fps):
    rng = np.random.default_rng(0)
    time_s = np.arange(round(3 * fps)) / fps
    still = STANDING[None] + 300 + rng.normal(0, 0.5, (len(time_s), 17, 2))
    prediction = answer(sequence(still, time_s))
    assert prediction.label == UNKNOWN
    assert "hardly any movement" in prediction.reason


@pytest.mark.parametrize("count", [1, 2, 30])
def test_nobody_is_unknown(count):
    prediction = answer(sequence(np.full((count, 17, 2), np.nan), np.arange(count) / 30))
    assert prediction.label == UNKNOWN
    assert prediction.reason == "Nobody was found in this clip."
    assert prediction.probabilities == (0.25,) * 4


@pytest.mark.parametrize("count", [1, 2, 10])
def test_a_moment_is_unknown(count):
    time_s = np.arange(count) / 30
    prediction = answer(sequence(squat(time_s) + 300, time_s))
    assert prediction.label == UNKNOWN
    assert "too short" in prediction.reason


def test_random_points_are_unknown():
    rng = np.random.default_rng(0)
    time_s = np.arange(90) / 30
    prediction = answer(sequence(rng.uniform(0, 300, (90, 17, 2)), time_s))
    assert prediction.label == UNKNOWN
    assert "uncertain" in prediction.reason


def test_a_lifter_who_is_hardly_there_is_unknown():
    pose = squat_sequence()
    xy = pose.xy.copy()
    xy[40:] = np.nan
    prediction = answer(sequence(xy, pose.time_s))
    assert prediction.label == UNKNOWN
    assert "19%" in prediction.reason


@pytest.mark.parametrize(
    ("classes", "words"),
    [(("lunge", "other"), "none of lunge."), (("a", "b", "other"), "none of a and b.")],
)
def test_the_reason_names_whatever_classes_there_are(classes, words):
    made = clf.Classifier([], settings(classes=classes), "x", "0" * 64)
    label, reason = made._name(np.eye(len(classes))[-1])
    assert (label, reason) == (OTHER, f"This moves like {words}")


@pytest.mark.parametrize("family", ["tcn", "gru", "stgcn"])
def test_every_family_on_keypoints_answers(family):
    """With two classes of the user's own, none of them `other`."""
    chosen = settings(
        classes=("lunge", "swing"), family=family, networks=1, features=FAMILIES[family].inputs
    )
    torch.manual_seed(0)
    judge = clf.Classifier([chosen.build().eval()], chosen, "x", "0" * 64)
    prediction = answer(squat_sequence(), judge)
    assert prediction.classes == ("lunge", "swing")
    assert sum(prediction.probabilities) == pytest.approx(1)


# ---- stretches


def test_a_clip_is_judged_whole_and_by_repetition():
    stretches = clf.cut(clean(squat_sequence(seconds=7.0)))
    assert len(stretches) == 3
    assert stretches[0].start_s == 0
    assert stretches[0].end_s == pytest.approx(7, abs=0.1)
    assert all(s.end_s - s.start_s < 5 for s in stretches[1:])
    prediction = answer(squat_sequence(seconds=7.0))
    assert [(w.start_s, w.end_s) for w in prediction.windows] == [
        (s.start_s, s.end_s) for s in stretches
    ]


@pytest.mark.parametrize("seconds", [11.0, 24.0, 60.0])
def test_a_long_clip_is_cut_into_pieces_that_cover_it(seconds):
    stretches = clf.cut(clean(squat_sequence(10.0, seconds)))
    assert max(len(s.inputs[0]) for s in stretches) <= clf.MAX_SECONDS * RATE_HZ + 1
    ends = sorted((s.start_s, s.end_s) for s in stretches)
    covered = 0.0
    for start, end in ends:
        assert start <= covered
        covered = max(covered, end)
    assert covered == pytest.approx(seconds, abs=0.2)


def test_the_mirror_image_gets_the_same_answer():
    judge = classifier()
    pose = squat_sequence()
    mirrored = sequence(
        (pose.xy * np.float32([-1, 1]) + np.float32([640, 0]))[:, list(sk.FLIP_ORDER)], pose.time_s
    )
    np.testing.assert_allclose(
        answer(mirrored, judge).probabilities, answer(pose, judge).probabilities, atol=1e-5
    )


@pytest.mark.parametrize("scale", [0.4, 3.0])
def test_size_and_place_do_not_change_the_answer(scale):
    judge, pose = classifier(), squat_sequence()
    moved = sequence(pose.xy * np.float32(scale) + 50, pose.time_s)
    np.testing.assert_allclose(
        answer(moved, judge).probabilities, answer(pose, judge).probabilities, atol=2e-3
    )


# ---- who votes


def test_standing_does_not_vote_and_repetitions_do():
    """Two squats, then twenty seconds of standing."""
    time_s = np.arange(0, 30, 1 / 10)
    pose = sequence(squat(np.minimum(time_s, 6.5)) + 300, time_s)
    stretches = clf.cut(clean(pose))
    idle = [one for one in stretches if one.start_s > 8]
    assert idle
    assert all(one.weight == 0 for one in idle)
    assert all(one.weight > 0.9 for one in stretches if one.end_s < 8)


def test_no_stretch_has_a_cut_in_it():
    pose = squat_sequence(seconds=9.5)
    shots = np.where(pose.time_s < 5.0, 0, 1).astype(np.int32)
    stretches = clf.cut(clean(replace(pose, shots=shots)))
    assert stretches
    assert all(one.end_s < 5.0 or one.start_s >= 5.0 for one in stretches)


def test_a_repetition_that_is_hardly_seen_counts_less():
    pose = squat_sequence(seconds=7.0)
    xy, score = pose.xy.copy(), pose.score.copy()
    hidden = pose.time_s > 3.6
    xy[np.ix_(hidden, [5, 7, 9, 11, 13])], score[np.ix_(hidden, [5, 7, 9, 11, 13])] = np.nan, 0
    weights = [one.weight for one in clf.cut(clean(replace(pose, xy=xy, score=score)))]
    assert weights[-1] < 0.75 < weights[1]


def test_when_nothing_moves_all_vote():
    time_s = np.arange(0, 3, 1 / 10)
    still = sequence(squat(np.zeros(30)) + 300, time_s)
    assert [one.weight for one in clf.cut(clean(still))] == [1]


@pytest.mark.parametrize(
    ("probabilities", "label", "words"),
    [
        ([0.02, 0.02, 0.02, 0.94], "other", "moves like none of"),
        ([0.02, 0.02, 0.36, 0.60], "other", "Squat is possible too"),
        ([0.28, 0.02, 0.30, 0.40], "unknown", "neither clearly"),
        ([0.02, 0.02, 0.90, 0.06], "squat", ""),
        ([0.02, 0.02, 0.60, 0.36], "squat", "Another exercise is possible too"),
    ],
)
def test_something_else_and_not_sure_are_two_answers(probabilities, label, words):
    judge = clf.Classifier(networks(), settings(), "x", "0" * 64)
    said, reason = judge._name(np.array(probabilities))
    assert said == label
    assert words in (reason or "")


# ---- a clip of several shots


def joined(*figures, cut: bool = True):
    """Figures in space, filmed from the side one after the other, with a cut between each two."""
    pose, _ = film(np.concatenate(figures), 80)
    ends = np.cumsum([len(points) for points in figures])
    shots = np.searchsorted(ends, np.arange(len(pose)), side="right").astype(np.int32)
    return replace(pose, shots=shots) if cut else pose


SQUATS = np.concatenate([squat_figure(once(30), 0.34)] * 2)
DEADLIFTS = np.concatenate([deadlift(once(30))] * 2)


def test_two_exercises_are_named_with_their_seconds():
    prediction = answer(joined(SQUATS, DEADLIFTS), clf.load_classifier())
    assert prediction.label == UNKNOWN
    end_s = len(SQUATS) / 30
    assert f"Two exercises: squat until {end_s - 1 / 30:.1f} s, deadlift after" in prediction.reason


@pytest.mark.parametrize("points", [SQUATS, DEADLIFTS], ids=["squat", "deadlift"])
def test_one_exercise_in_two_shots_is_one_answer(points):
    name = "squat" if points is SQUATS else "deadlift"
    prediction = answer(joined(points, points), clf.load_classifier())
    assert prediction.label == name
    assert "exercises" not in (prediction.reason or "")


# ---- limits of a model


def limited(favourite: str = "squat", certainty: float = 3.0, **limits):
    return clf.Classifier(
        networks(favourite=favourite, certainty=certainty), settings(**limits), "x", "0" * 64
    )


def test_a_class_is_named_from_its_own_threshold_on():
    plain = answer(squat_sequence(), limited())
    assert plain.label == "squat"
    above, below = plain.confidence + 0.01, plain.confidence - 0.01
    assert answer(squat_sequence(), limited(thresholds={"squat": below})).label == "squat"
    assert answer(squat_sequence(), limited(thresholds={"deadlift": above})).label == "squat"
    unsure = answer(squat_sequence(), limited(thresholds={"squat": above}))
    assert unsure.label == UNKNOWN
    assert "neither clearly" in unsure.reason


def test_candidates_are_the_classes_above_the_limit_the_likeliest_first():
    shares = answer(squat_sequence(), limited()).probabilities
    second = sorted(shares)[-2]  # that of all but the squat
    assert answer(squat_sequence(), limited()).candidates == ()  # none are promised
    for limit, count in ((0.0001, 4), (second - 1e-9, 4), (second + 1e-6, 1), (0.999, 1)):
        found = answer(squat_sequence(), limited(candidate_from=limit)).candidates
        assert found[0] == "squat"
        assert len(set(found)) == count


def test_without_a_movement_there_are_no_candidates():
    time_s = np.arange(90) / 30
    still = np.repeat(STANDING[None] + 300, 90, 0)
    assert answer(sequence(still, time_s), limited(candidate_from=0.1)).candidates == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"thresholds": {"squat": 1.2}},
        {"thresholds": {"burpee": 0.6}},
        {"thresholds": {"squat": "high"}},
        {"thresholds": [0.5]},
        {"candidate_from": -0.1},
        {"candidate_from": "low"},
    ],
)
def test_limits_that_are_no_probabilities_are_refused(folder, changes):
    change_entry(folder, config={**settings().as_config(), **changes})
    with pytest.raises(WeightsError, match="out of range"):
        clf.load_classifier()


def test_limits_come_back_as_they_were(folder):
    given = settings(thresholds={"squat": 0.6}, candidate_from=0.04)
    change_entry(folder, config=given.as_config())
    assert clf.load_classifier().settings == given
    assert "thresholds" not in settings().as_config()  # as older versions wrote it


# ---- slow motion


def slowed(times):
    """Two squats of about 2.5 s in a film that lasts ``times`` as long as they did."""
    pose = squat_sequence()
    return replace(pose, time_s=pose.time_s * times)


@given(st.floats(0.5, 1.4))
def test_a_usual_tempo_is_left_alone(times):
    tracks = clean(slowed(times))
    assert clf.at_usual_tempo(tracks) == (tracks, 1.0)


@given(st.floats(3.0, 7.0))
def test_slow_motion_is_judged_at_a_usual_tempo(times):
    pose = slowed(times)
    movement = clf.movement_of(clean(pose))
    lengths = [span.end_s - span.start_s - 2 * clf.MARGIN_S for span in movement.spans[1:]]
    assert lengths == pytest.approx([clf.USUAL_S] * len(lengths), rel=0.2)
    whole, *repetitions = clf.cut(clean(pose))
    assert (whole.start_s, whole.end_s) == pytest.approx((0, pose.time_s[-1]), abs=0.1)
    assert len(repetitions) == 2
    assert repetitions[0].end_s - repetitions[0].start_s > 2 * times


@pytest.mark.parametrize("times", [4.0, 6.0])
def test_slow_motion_hardly_changes_what_networks_see(times):
    usual, slow = (clf.cut(clean(slowed(one)))[1].inputs[0] for one in (1.0, times))
    assert abs(len(usual) - len(slow)) <= 0.25 * len(usual)
    steps = np.linspace(0, 1, 50)
    seen = [
        np.stack(
            [np.interp(steps, np.linspace(0, 1, len(x)), column) for column in x.T.astype(float)]
        )
        for x in (usual, slow)
    ]
    assert np.abs(seen[0] - seen[1]).mean() < 0.1 * np.abs(seen[0]).mean()
