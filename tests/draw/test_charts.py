"""Charts show the numbers of the analysis, in the palette, and every point knows its frame."""

import subprocess
import sys

import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.draw import charts
from gymform.motion.angles import joint_angles
from gymform.motion.body_size import stature
from gymform.types import UNKNOWN, Prediction
from tests import fakes

WRISTS = [sk.LEFT_WRIST, sk.RIGHT_WRIST]


@pytest.fixture(name="pose")
def _pose():
    return fakes.make_pose()


@pytest.fixture(name="tracks")
def _tracks(pose):
    return fakes.make_tracks(pose)


def test_trajectories_are_the_tracks_values(pose, tracks):
    figure = charts.trajectories(pose, tracks, WRISTS, ["y"])
    bold = [trace for trace in figure.data if trace.showlegend]
    assert [trace.name for trace in bold] == ["Left wrist", "Right wrist"]
    np.testing.assert_allclose(bold[0].y, tracks.xy[:, sk.LEFT_WRIST, 1])
    np.testing.assert_allclose(bold[0].x, pose.time_s)


def test_raw_is_fainter_and_thinner_than_cleaned(pose, tracks):
    raw, bold = charts.trajectories(pose, tracks, [sk.LEFT_KNEE], ["x"]).data
    assert raw.opacity < 0.5
    assert raw.line.width < bold.line.width
    np.testing.assert_allclose(raw.y, pose.xy[:, sk.LEFT_KNEE, 0])


@pytest.mark.parametrize("quantity", charts.QUANTITIES)
def test_every_line_can_be_clicked_and_names_its_frames(pose, tracks, quantity):
    for trace in charts.trajectories(pose, tracks, WRISTS, [quantity]).data:
        assert trace.mode == "lines+markers"
        np.testing.assert_array_equal(trace.customdata, np.arange(len(pose)))


def test_speed_is_the_length_of_the_velocity(pose, tracks):
    bold = charts.trajectories(pose, tracks, [sk.LEFT_HIP], ["speed"]).data[-1]
    np.testing.assert_allclose(bold.y, np.hypot(*tracks.velocity[:, sk.LEFT_HIP].T), rtol=1e-5)


def test_an_angle_is_that_of_the_limbs_and_a_wrist_has_none(pose, tracks):
    wrist, knee = charts.trajectories(pose, tracks, [sk.LEFT_WRIST, sk.LEFT_KNEE], ["angle"]).data[
        1::2
    ]
    assert np.isnan(wrist.y).all()
    bent = joint_angles(tracks.xy)[:, sk.LEFT_KNEE]
    np.testing.assert_allclose(knee.y, bent)
    assert np.ptp(bent) > 30


def test_colour_is_the_side_and_dash_the_joint(pose, tracks):
    joints = [sk.LEFT_WRIST, sk.RIGHT_WRIST, sk.LEFT_KNEE, sk.NOSE]
    figure = charts.trajectories(pose, tracks, joints, ["score"])
    left, right, knee, nose = figure.data
    assert left.line.color == knee.line.color == sk.COLOURS[sk.Side.LEFT]
    assert right.line.color == sk.COLOURS[sk.Side.RIGHT]
    assert nose.line.color == sk.COLOURS[sk.Side.CENTRE]
    assert left.line.dash == right.line.dash != knee.line.dash


def test_up_in_the_gym_is_up_in_the_chart(pose, tracks):
    figure = charts.trajectories(pose, tracks, WRISTS, ["y", "x"])
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.yaxis2.autorange is None


def test_values_at_a_frame_are_those_of_the_charts(tracks):
    pose = fakes.make_pose(missing=slice(30, 31))
    tracks.xy[30, sk.RIGHT_WRIST] = np.nan
    table = charts.values_at(pose, tracks, WRISTS, 30)
    assert table["Joint"] == ["Left wrist", "Right wrist"]
    assert table["y (px)"] == [pytest.approx(tracks.xy[30, sk.LEFT_WRIST, 1], abs=0.006), None]
    assert table["Confidence"] == [0.0, 0.0]
    assert table["Angle (°)"] == [None, None]
    speed = np.hypot(*tracks.velocity[30, sk.LEFT_WRIST])
    assert table["Speed (px/s)"][0] == pytest.approx(speed, abs=0.006)


def test_a_frame_past_the_end_is_the_last_one(pose, tracks):
    last = charts.values_at(pose, tracks, WRISTS, len(pose) - 1)
    assert charts.values_at(pose, tracks, WRISTS, 10_000) == last


def test_repetitions_are_shaded(pose, tracks):
    figure = charts.trajectories(pose, tracks, WRISTS, ["y"], windows=[(0.5, 2.0)])
    assert [(s.x0, s.x1) for s in figure.layout.shapes if s.type == "rect"] == [(0.5, 2.0)]


def test_nothing_chosen_is_an_empty_figure_and_says_so(pose, tracks):
    assert len(charts.trajectories(pose, tracks, [], []).data) == 0
    assert "without" in charts.describe_trajectories([], ["y"])


def test_gaps_stay_gaps(tracks):
    pose = fakes.make_pose(missing=slice(10, 20))
    raw = charts.trajectories(pose, tracks, [sk.LEFT_HIP], ["y"]).data[0]
    np.testing.assert_array_equal(np.isnan(raw.y), ~pose.present)


def test_long_clips_are_thinned_and_keep_first_and_last_frame():
    pose = fakes.make_pose(frames=9_001, fps=240)
    trace = charts.trajectories(pose, fakes.make_tracks(pose), [sk.LEFT_HIP], ["y"]).data[-1]
    assert len(trace.x) <= 1200
    assert trace.customdata[0] == 0
    assert trace.customdata[-1] == 9_000


def test_one_frame_is_enough():
    pose = fakes.make_pose(frames=1)
    tracks = type(fakes.make_tracks(fakes.make_pose()))(
        pose.xy, np.zeros_like(pose.xy), np.zeros(pose.score.shape, bool), pose.time_s
    )
    assert charts.trajectories(pose, tracks, WRISTS).data


def test_default_joints_are_on_the_side_that_is_seen():
    pose = fakes.make_pose()
    score = pose.score.copy()
    score[:, [sk.LEFT_WRIST, sk.LEFT_HIP, sk.LEFT_KNEE]] = 0.1
    hidden_left = type(pose)(pose.xy, score, pose.boxes, pose.time_s, pose.image_size)
    assert charts.default_joints(hidden_left) == [sk.RIGHT_WRIST, sk.RIGHT_HIP, sk.RIGHT_KNEE]


def test_nearest_frame(pose):
    assert charts.nearest_frame(pose, pose.time_s[17] + 0.01) == 17
    assert charts.nearest_frame(pose, 99.0) == len(pose) - 1


def test_probabilities_put_the_likeliest_on_top_and_mark_the_predicted_class():
    bars = charts.probabilities(fakes.make_prediction("deadlift", 0.91)).data[0]
    assert bars.y[-1] == "Deadlift"  # plotly draws upwards
    assert bars.text[-1] == "91 %"
    assert bars.marker.color[-1] == sk.COLOURS[sk.Side.CENTRE]
    assert len(set(bars.marker.color[:-1])) == 1


def test_of_many_classes_the_likeliest_are_shown():
    classes = tuple(f"exercise_{number}" for number in range(20))
    shares = np.linspace(1, 3, 20) / np.linspace(1, 3, 20).sum()
    prediction = Prediction(classes, tuple(shares), classes[-1], None, "")
    bars = charts.probabilities(prediction).data[0]
    assert list(bars.y) == [f"Exercise {number}" for number in range(14, 20)]
    words = charts.describe_probabilities(prediction)
    assert "exercise 14" in words
    assert "exercise 13" not in words


def test_unknown_marks_no_bar():
    bars = charts.probabilities(fakes.make_prediction(UNKNOWN, 0.4)).data[0]
    assert sk.COLOURS[sk.Side.CENTRE] not in bars.marker.color


@pytest.mark.parametrize(("confidence", "text"), [(0.997, ">99 %"), (0.94, "94 %"), (1.0, "100 %")])
def test_probabilities_in_words(confidence, text):
    words = charts.describe_probabilities(fakes.make_prediction("squat", confidence))
    assert words.startswith(f"Probabilities: squat {text},")


def test_confidence_map_holds_every_score(pose):
    heat = charts.confidence_map(pose).data[0]
    np.testing.assert_allclose(np.asarray(heat.z), pose.score.T)
    assert heat.y[sk.LEFT_WRIST] == "Left wrist"


def test_pandas_is_whole_before_plotly_looks_for_it():
    code = "import sys, gymform.draw.report_charts; print(hasattr(sys.modules['pandas'], 'Series'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


@pytest.mark.parametrize(
    ("unit", "height_cm", "factor", "title"),
    [
        (charts.PIXELS, 180, None, "px"),
        (charts.BODY, 180, 100, "% of height"),
        (charts.CM, 180, 180, "cm"),
        (charts.CM, None, 100, "% of height"),
    ],
)
def test_lengths_are_in_the_unit_and_cm_need_a_height(pose, tracks, unit, height_cm, factor, title):
    scale = 1 if factor is None else factor / stature(tracks.xy)
    y = tracks.xy[:, sk.LEFT_WRIST, 1]
    if factor is not None:  # over the feet, and up
        y = np.median(tracks.xy[:, list(sk.ANKLES), 1].mean(1)) - y
    chosen = {"unit": unit, "height_cm": height_cm}
    figure = charts.trajectories(pose, tracks, WRISTS, ["y", "speed"], **chosen)
    bold = next(trace for trace in figure.data if trace.showlegend)
    np.testing.assert_allclose(bold.y, scale * y, rtol=1e-4)
    assert (figure.layout.yaxis.autorange == "reversed") is (factor is None)
    titles = [figure.layout[axis].title.text for axis in ("yaxis", "yaxis2")]
    assert titles == [title, f"{title}/s"]
    table = charts.values_at(pose, tracks, WRISTS, 3, **chosen)
    height = table[f"y ({title})"][0]
    assert height == pytest.approx(scale * y[3], abs=0.01)
