"""What the shipped classifier learns from: a split that does not leak, balanced shares."""

from collections import Counter

import pytest

from gymform.errors import LeakError, ModelDataError
from gymform.training.exercise import samples as sm
from gymform.training.exercise.tracks import LabelledPose
from gymform.types import OTHER, PoseSequence, Provenance
from tests.exercise.makers import made_up, make_index
from tests.motion.makers import squat_sequence


@pytest.fixture
def dataset(tmp_path):
    """Twelve keypoint files and their index."""
    return make_index(tmp_path)


def test_groups_stay_whole_and_every_fold_has_every_class():
    items = made_up(24)
    items = [LabelledPose(x.name, x.label, x.action, f"group{i % 8}", x.source, x.pose)
             for i, x in enumerate(items)]  # fmt: skip
    fold = sm.split(items, 3, seed=0)
    for group in {x.group for x in items}:
        assert len({f for x, f in zip(items, fold, strict=True) if x.group == group}) == 1
    for i in range(3):
        assert {x.label for x, f in zip(items, fold, strict=True) if f == i} == {"squat", "other"}


def test_a_group_on_both_sides_is_refused():
    items = made_up(4)
    leak = LabelledPose("again", "squat", "squat", "person1", "clips", squat_sequence(11.0))
    with pytest.raises(LeakError, match=r"clip1 \(0\) and again \(1\) are of one group"):
        sm.check_split([*items, leak], [0] * 4 + [1])


def test_a_video_on_both_sides_is_refused_whatever_its_group():
    def named(group, pose):
        pose = PoseSequence(pose.xy, pose.score, pose.boxes, pose.time_s, pose.image_size,
                            Provenance(clip_sha256="ab" * 32))  # fmt: skip
        return LabelledPose(group, "squat", "squat", group, "clips", pose)

    with pytest.raises(LeakError, match="are of one video"):
        sm.check_split([named("a", squat_sequence(12.0)), named("b", squat_sequence(15.0))], [0, 1])


def test_the_same_track_on_both_sides_is_refused():
    items = [LabelledPose(name, "squat", "squat", name, "clips", squat_sequence()) for name in "ab"]
    with pytest.raises(LeakError, match="hold the same"):
        sm.check_split(items, [0, 1])


@pytest.mark.parametrize("items", [[], made_up(2), [x for x in made_up() if x.label == "squat"]])
def test_too_little_to_split(items):
    with pytest.raises(ModelDataError, match="at least two classes"):
        sm.split(items, 3, seed=0)


def test_shares_are_balanced_over_classes():
    samples = sm.make_samples(made_up(12) + made_up(12)[1:2] * 9, 0, 0)
    shares = sm.shares(samples)
    squats = sum(s for s, x in zip(shares, samples, strict=True) if x.label == "squat")
    assert shares.sum() == pytest.approx(1)
    expected = sm.CLASS_SHARES["squat"]
    assert squats == pytest.approx(expected / (expected + sm.CLASS_SHARES["other"]))


def test_missing_keypoint_files_are_left_out(dataset, caplog):
    (dataset / "poses" / "squat" / "clip1.npz").unlink()
    clips = sm.load_clips(dataset / "poses", dataset / "index.csv")
    assert len(clips) == 11
    assert "1 of the clips" in caplog.text


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00", b"file,exercise\nx,y\n"])
def test_an_index_that_is_none(dataset, content):
    (dataset / "index.csv").write_bytes(content)
    with pytest.raises(ModelDataError, match=r"index\.csv: expected"):
        sm.load_clips(dataset / "poses", dataset / "index.csv")


def test_clips_that_were_rejected_are_left_out_and_counted(dataset):
    clips = sm.load_clips(dataset / "poses", dataset / "index.csv")
    names = [clip.name for clip in clips]
    rejected = dataset / "rejected.csv"
    rejected.write_text(
        f"file,reason\n{names[0]},occluded\n{names[3]},wrong person\n{names[5]},occluded\n"
    )
    kept, reasons = sm.without_rejected(clips, rejected)
    assert [clip.name for clip in kept] == [
        name for i, name in enumerate(names) if i not in (0, 3, 5)
    ]
    assert reasons == {"occluded": 2, "wrong person": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("file\nx\n", "expected rows with the columns file, reason"),
        ("file,reason\nsquat/none.mp4,occluded\n", r"got squat/none\.mp4"),
    ],
)
def test_a_list_of_rejected_clips_that_does_not_fit(dataset, content, message):
    rejected = dataset / "rejected.csv"
    rejected.write_text(content)
    with pytest.raises(ModelDataError, match=rf"rejected\.csv: .*{message}"):
        sm.without_rejected(sm.load_clips(dataset / "poses", dataset / "index.csv"), rejected)


def test_clips_that_show_something_else_get_its_name_and_class(dataset):
    clips = sm.load_clips(dataset / "poses", dataset / "index.csv")
    table = dataset / "relabelled.csv"
    table.write_text(f"file,exercise\n{clips[1].name},front_squat\n{clips[2].name},side_lunge\n")
    found = sm.relabelled(clips, table)
    assert [(one.label, one.action) for one in found[1:3]] == [
        ("squat", "front_squat"), (OTHER, "side_lunge"),
    ]  # fmt: skip
    same = [0, *range(3, len(clips))]
    assert [found[i] for i in same] == [clips[i] for i in same]
    table.write_text("file,exercise\nsquat/none.mp4,lunge\n")
    with pytest.raises(ModelDataError, match=r"relabelled\.csv: .*got squat/none\.mp4"):
        sm.relabelled(clips, table)


def test_what_is_other_comes_from_many_exercises():
    """Penn Action's other exercises are a single one: it must not crowd out the clips."""
    clips = made_up(12)
    ropes = [
        LabelledPose(f"rope{i}", "other", "jump_rope", f"rope{i}", "penn", item.pose)
        for i, item in enumerate(clips)
    ]
    samples = sm.make_samples([*clips, *ropes], 1, 0)
    shares = sm.shares(samples)
    by_source = Counter()
    for share, sample in zip(shares, samples, strict=True):
        if sample.label == "other":
            by_source[sample.source] += share
    assert by_source["penn"] < 0.2 * by_source["clips"]
    assert sum(by_source.values()) / shares.sum() == pytest.approx(
        sm.CLASS_SHARES["other"]
        / sum(sm.CLASS_SHARES[name] for name in {sample.label for sample in samples})
    )
