"""The live view without a browser: frames as arrays, a network that sees painted people."""

from __future__ import annotations

import base64
import gc
import json
import threading
import weakref
from fractions import Fraction

import av
import numpy as np
import pytest
import torch

from gymform import limits, weights
from gymform import skeleton as sk
from gymform.errors import GymformError, NotAVideoError, OptionsError, TooLargeError
from gymform.live import network as live_network
from gymform.live.advice import Advice, Scene, SteadyAdvice, advise, tilt_deg
from gymform.live.follow import Follower, live_windows, overlap
from gymform.live.ice import parse_ice_servers
from gymform.live.meter import Lateness, Meter
from gymform.live.network import SharedNetwork, live_entry
from gymform.live.recording import Recording, store_recording, worth_cutting
from gymform.live.session import MAX_SIDE, REMEMBERED_S, SILENT_S, LiveSession, fit, mirrored
from gymform.pose.sightings import Sighting
from gymform.video.read import probe, read_frames
from gymform.video.write import VideoWriter
from tests import fakes
from tests.live.people import FakeNetwork, Person
from tests.pose.painted import dot_model

SIZE = (640, 360)
GREY = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def sighting(person: Person, **scores: float) -> Sighting:
    """What a network would see of ``person``; ``scores`` by joint, for both sides."""
    score = np.full(sk.NUM_KEYPOINTS, person.score, np.float32)
    for joint, value in scores.items():
        for k in range(sk.NUM_KEYPOINTS):
            if sk.KEYPOINTS[k].endswith(joint):
                score[k] = value
    return Sighting(person.xy.astype(np.float32), score, float(score.mean()))


def watch(follower: Follower, frames: int, start: float = 0.0, fps: float = 10.0):
    """The last sighting after ``frames`` frames."""
    found = None
    for number in range(frames):
        found = follower.look(GREY, start + number / fps)
    return found


# -- whom to follow --------------------------------------------------------------------------


@pytest.mark.parametrize("person", [Person(320, 180, 300), Person(120, 220, 150)])
def test_somebody_is_found_within_a_second_and_followed(person):
    network = FakeNetwork([person])
    follower = Follower(network)
    found = watch(follower, 14)
    assert found is not None
    np.testing.assert_allclose(found.xy, person.xy, atol=0.5)
    for _ in range(10):
        person.x += 5
        found = follower.look(GREY, 2.0)
        assert found is not None
        np.testing.assert_allclose(found.xy, person.xy, atol=0.5)


def test_no_frame_costs_more_than_three_looks():
    network = FakeNetwork([Person(320, 180, 300)])
    follower = Follower(network)
    for number in range(60):
        before = network.looks
        follower.look(GREY, number / 10)
        assert network.looks - before <= 3
    before = network.looks
    watch(follower, 100, start=10.0)
    assert network.looks - before <= 100 + 11  # one each, and a second one every second


def test_an_empty_room_has_nobody_and_every_window_is_searched():
    network = FakeNetwork()
    follower = Follower(network)
    windows = len(live_windows(*SIZE))
    assert watch(follower, windows) is None
    assert network.looks == windows


def test_a_chair_that_looks_otherwise_at_the_second_look_is_not_followed():
    class Chair(FakeNetwork):
        def _look(self, crop):
            self.looks += 1
            rng = np.random.default_rng(self.looks)
            return rng.uniform(0, 300, (17, 2)).astype(np.float32), np.full(17, 0.4, np.float32)

    assert watch(Follower(Chair()), 30) is None


def test_one_blurred_frame_is_no_loss_and_a_person_who_left_is_searched_anew():
    person = Person(320, 180, 300)
    network = FakeNetwork([person])
    follower = Follower(network)
    assert watch(follower, 5)
    network.people = []
    assert follower.look(GREY, 1.0) is None
    network.people = [person]
    assert follower.look(GREY, 1.1) is not None
    network.people = []
    watch(follower, 5, start=2.0)
    elsewhere = Person(120, 220, 150)
    network.people = [elsewhere]
    found = watch(follower, 14, start=3.0)
    assert found is not None
    assert abs(found.centre[0] - elsewhere.x) < 20


def test_another_person_is_noticed_and_forgotten():
    lifter, other = Person(320, 180, 320), Person(60, 180, 200)
    network = FakeNetwork([lifter, other])
    follower = Follower(network)
    watch(follower, 200)
    assert follower.others == 1
    network.people = [lifter]
    watch(follower, 30, start=20.0)
    assert follower.others == 0


def test_the_one_who_looks_more_like_the_lifter_is_followed():
    bystander = Person(560, 200, 120)
    network = FakeNetwork([bystander])
    follower = Follower(network)
    assert watch(follower, 30) is not None
    lifter = Person(300, 180, 330)
    network.people.append(lifter)
    found = watch(follower, 200, start=3.0)
    assert found is not None
    assert abs(found.centre[0] - lifter.x) < 20


def test_a_turned_phone_begins_anew():
    follower = Follower(FakeNetwork([Person(320, 180, 300)]))
    assert watch(follower, 5)
    assert follower.look(np.swapaxes(GREY, 0, 1), 1.0) is None


def test_overlap():
    box = np.array([0.0, 0, 10, 10])
    assert overlap(box, box) == pytest.approx(1)
    assert overlap(box, box + 20) == 0
    assert overlap(box, np.array([0.0, 0, 10, 5])) == pytest.approx(0.5)


# -- framing ---------------------------------------------------------------------------------


def scene(person: Person | None = None, light: float = 120, on: float = 110, others: int = 0, **s):
    return Scene(sighting(person, **s) if person else None, SIZE, light, on, others)


GOOD = Person(320, 190, 250)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (scene(GOOD), ()),
        (scene(), (Advice.NOBODY,)),
        (scene(light=20), (Advice.NOBODY, Advice.DARK)),
        (scene(Person(320, 250, 250), ankle=0.0, knee=0.5), (Advice.FEET,)),
        (scene(Person(320, 235, 240)), (Advice.FEET,)),  # ankles in the picture, toes not
        (scene(Person(320, 250, 250, score=0.4)), (Advice.FEET,)),  # joints of a leg made up
        (scene(GOOD, ankle=0.0), ()),  # hidden by a plate, but not at the edge
        (scene(Person(320, 130, 270), eye=0, ear=0, nose=0), (Advice.HEAD,)),
        (scene(Person(320, 115, 270)), (Advice.HEAD,)),  # half of a face
        (scene(Person(320, 150, 280)), (Advice.ROOM,)),
        (scene(Person(320, 180, 100)), (Advice.FAR,)),
        (scene(Person(70, 190, 250)), (Advice.SIDE,)),
        (scene(GOOD, light=30, on=30), (Advice.DARK,)),
        (scene(GOOD, light=150, on=40), (Advice.BACKLIT,)),
        (scene(GOOD, others=1), (Advice.SEVERAL,)),
    ],
)
def test_advice(seen, expected):
    assert advise(seen) == expected


def rolled(person: Person, degrees: float) -> Sighting:
    """The person in a picture turned clockwise about their centre."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    centre = np.array([person.x, person.y])
    seen = sighting(person)
    return Sighting(((seen.xy - centre) @ turn + centre).astype(np.float32), seen.score, 0.8)


@pytest.mark.parametrize("degrees", [-15.0, -3.0, 0.0, 3.0, 12.0])
def test_a_tilted_camera_is_seen_from_somebody_who_stands(degrees):
    lifter = rolled(GOOD, degrees)
    assert tilt_deg(lifter) == pytest.approx(degrees, abs=0.5)
    assert (Advice.TILTED in advise(Scene(lifter, SIZE, 120, 110))) == (abs(degrees) > 7)


def test_somebody_who_bends_says_nothing_about_the_camera():
    xy = GOOD.xy
    xy[[sk.LEFT_SHOULDER, sk.RIGHT_SHOULDER]] += [80, 40]
    bent = Sighting(xy.astype(np.float32), np.full(17, 0.8, np.float32), 0.8)
    assert tilt_deg(bent) == 0.0


def test_advice_does_not_flicker():
    steady = SteadyAdvice()
    for number in range(30):
        steady.add(number / 10, (Advice.FAR,) if number % 5 == 0 else ())
        assert number < 3 or steady.current() == ()
    for number in range(30, 45):
        steady.add(number / 10, (Advice.FAR,))
    assert steady.current() == (Advice.FAR,)


# -- pace ------------------------------------------------------------------------------------


def test_the_meter_knows_rate_and_latency_of_the_last_seconds():
    meter = Meter()
    assert meter.pace() is None
    for number in range(300):
        meter.add(number / 12, 0.5 if number < 100 else 0.05)
    pace = meter.pace()
    assert pace is not None
    assert pace.fps == pytest.approx(12)
    assert pace.latency_s == pytest.approx(0.05)
    assert pace.latency_p95_s == pytest.approx(0.05)


def test_frames_that_waited_are_late():
    lateness = Lateness()
    assert lateness.of(0.0, 50.0) == 0
    assert lateness.of(1.0, 51.0) == pytest.approx(0, abs=1e-3)
    assert lateness.of(2.0, 52.4) == pytest.approx(0.4, abs=1e-2)
    assert lateness.of(3.0, 52.9) == 0  # prompter than any before


# -- a session -------------------------------------------------------------------------------


def video_frame(rgb: np.ndarray, time_s: float) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
    frame.pts, frame.time_base = round(time_s * 90_000), Fraction(1, 90_000)
    return frame


def test_the_picture_is_mirrored_with_the_skeleton_on_the_person():
    rgb = np.zeros((360, 640, 3), np.uint8)
    rgb[:, :100] = 255
    person = Person(200, 190, 250)
    shown = mirrored(rgb, sighting(person))
    assert (shown[0, -1] == 255).all()
    assert (shown[0, 0] == 0).all()
    knee = person.xy[sk.LEFT_KNEE]
    around = shown[int(knee[1]) - 2 : int(knee[1]) + 3, 639 - int(knee[0]) - 2 :][:, :5]
    assert around.max() > 100


def test_frames_become_status_and_the_first_advice_is_in_the_picture():
    clock = Clock()
    session = LiveSession(FakeNetwork(), clock=clock)
    assert session.status().silent_s is None
    for number in range(20):
        out = session.on_frame(video_frame(GREY, number / 10))
        clock.now += 0.1
    status = session.status()
    assert status.frames == 20
    assert not status.following
    assert status.advice == (Advice.NOBODY,)
    assert status.pace is not None
    assert status.pace.fps == pytest.approx(10, rel=0.05)
    assert not status.lost
    corner = out.to_ndarray(format="rgb24")[:20, :100]
    assert corner.std() > 20  # words
    clock.now += SILENT_S + 1
    assert session.status().lost


def test_a_frame_that_takes_long_is_no_lost_camera():
    clock = Clock()

    class Slow(FakeNetwork):
        def in_frame(self, rgb, crops):
            clock.now += 10
            seen.append(session.status().lost)
            return super().in_frame(rgb, crops)

    session = LiveSession(Slow(), clock=clock)
    seen: list[bool] = []
    for number in range(3):
        session.on_frame(video_frame(GREY, number / 10))
    assert seen == [False, False, False]
    clock.now += SILENT_S + 1
    assert session.status().lost


def test_large_pictures_are_made_small_and_others_left_alone():
    assert fit(GREY) is GREY
    assert fit(np.zeros((1280, 720, 3), np.uint8)).shape == (MAX_SIDE, 360, 3)


def test_an_error_of_the_network_costs_the_skeleton_and_not_the_stream():
    class Broken(FakeNetwork):
        def in_frame(self, rgb, crops):
            raise RuntimeError("out of memory")

    session = LiveSession(Broken(), clock=Clock())
    out = session.on_frame(video_frame(GREY, 0.0))
    assert (out.width, out.height) == SIZE
    assert session.status().problem == "RuntimeError"


def test_the_running_answer_is_about_the_last_seconds_only():
    class Ear:
        def predict(self, pose, tracks, quality):
            self.pose = pose
            return fakes.make_prediction()

    session, ear = LiveSession(FakeNetwork([GOOD]), clock=Clock()), Ear()
    assert session.guess(ear) is None
    for number in range(200):
        session.see(GREY, number / 10)
    assert session.guess(ear).label == "squat"
    assert ear.pose.time_s[-1] == pytest.approx(REMEMBERED_S, abs=0.11)
    assert ear.pose.time_s[0] == 0
    assert ear.pose.image_size == SIZE
    session.forget()
    assert session.guess(ear) is None


def test_a_session_that_ended_leaves_nothing_behind():
    session = LiveSession(FakeNetwork([GOOD]), clock=Clock())
    before = threading.active_count()
    for number in range(20):
        session.on_frame(video_frame(GREY, number / 10))
    assert threading.active_count() == before
    gone = weakref.ref(session)
    del session
    gc.collect()
    assert gone() is None


def test_sessions_share_a_network_without_mixing():
    """Each session's frames show another person; each is always given its own."""

    class Estimator:
        """Sees what is painted: the column of the brightest pixel. Not safe for two threads."""

        def __init__(self) -> None:
            self.model = type("Model", (), {"name": "painted"})
            self.busy = False
            self.overlaps = 0

        def in_frame(self, rgb, crops):
            self.overlaps += self.busy
            self.busy = True
            column = int(rgb[0, :, 0].argmax())
            people = FakeNetwork([Person(column, 180, 300)])
            found = people.in_frame(rgb, crops)
            self.busy = False
            return found

    estimator = Estimator()
    network = SharedNetwork(estimator)
    wrong = []

    def run(column: int) -> None:
        rgb = GREY.copy()
        rgb[0, column] = 255
        follower = Follower(network)
        for number in range(60):
            found = follower.look(rgb, number / 10)
            if found is not None and abs(found.centre[0] - column) > 5:
                wrong.append(column)

    threads = [threading.Thread(target=run, args=(column,)) for column in (200, 320, 440)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert estimator.overlaps == 0


# -- which network ---------------------------------------------------------------------------


def manifest(folder, dims: dict[str, int], present: set[str], **more):
    models = []
    for name, dim in dims.items():
        models.append(
            {
                "name": name,
                "kind": "pose",
                "file": f"{name}.safetensors",
                "sha256": "a" * 64,
                "bytes": 1,
                "licence": "MIT",
                "provenance": "made up",
                "config": {"dim": dim, "depth": 12},
            }
        )
        if name in present:
            (folder / f"{name}.safetensors").touch()
    content = {"schema": 1, "default_pose": next(iter(dims)), "models": models, **more}
    (folder / weights.MANIFEST).write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("present", "more", "expected"),
    [
        ({"small", "tiny"}, {}, "tiny"),
        ({"small"}, {}, "small"),
        (set(), {}, "base"),
        ({"small", "tiny"}, {"default_live": "small"}, "small"),
    ],
)
def test_the_fastest_embedded_network_is_chosen(tmp_path, monkeypatch, present, more, expected):
    manifest(tmp_path, {"base": 768, "small": 384, "tiny": 192}, present, **more)
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(tmp_path))
    assert live_entry().name == expected


# -- ICE servers -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  ", []),
        ("stun:a.org:1, turn:b.org", [{"urls": "stun:a.org:1"}, {"urls": "turn:b.org"}]),
        (
            '[{"urls": ["turn:b.org"], "username": "u", "credential": "c"}]',
            [{"urls": ["turn:b.org"], "username": "u", "credential": "c"}],
        ),
        ('{"urls": "stun:a.org"}', [{"urls": "stun:a.org"}]),
    ],
)
def test_ice_servers(text, expected):
    assert parse_ice_servers(text) == expected


@pytest.mark.parametrize(
    "text",
    ["http://a.org", "[1]", '[{"urls": 3}]', '[{"urls": []}]', "[{", '[{"url": "stun:a"}]'],
)
def test_bad_ice_servers_are_said_without_secrets(text):
    with pytest.raises(OptionsError, match="GYMFORM_ICE_SERVERS"):
        parse_ice_servers(text)


# -- recordings ------------------------------------------------------------------------------


@pytest.fixture(scope="module", name="clip")
def _clip(tmp_path_factory):
    """Four seconds in which every frame has a grey of its own."""
    path = tmp_path_factory.mktemp("clip") / "four.mp4"
    with VideoWriter(path, width=64, height=48, fps=25) as writer:
        for number in range(100):
            writer.write(np.full((48, 64, 3), 2 * number + 20, np.uint8), number / 25)
    return path


def message(content: bytes, motion=None) -> dict:
    return {"video": base64.b64encode(content).decode(), "motion": motion}


def test_a_recording_is_stored_as_it_came(clip, tmp_path):
    recording = Recording.from_message(message(clip.read_bytes()))
    path = store_recording(recording, tmp_path)
    assert path.read_bytes() == clip.read_bytes()
    assert path.suffix == ".mp4"


def test_standing_still_is_cut_away(clip, tmp_path):
    path = store_recording(Recording.from_message(message(clip.read_bytes(), [1.5, 2.5])), tmp_path)
    stored = probe(path)
    assert stored.duration_s == pytest.approx(2.2, abs=0.1)
    with read_frames(path) as frames:
        first = next(iter(frames))
    assert first.time_s == 0
    assert first.rgb.mean() == pytest.approx(2 * 23 + 20, abs=4)  # of 0.92 s
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("motion", "span"),
    [((2.0, 5.0), (1.4, 5.6)), ((0.5, 7.5), None), ((0.2, 3.0), (0.0, 3.6)), ((9.0, 9.5), None)],
)
def test_what_is_worth_cutting(motion, span):
    found = worth_cutting(motion, 8.0)
    assert found == (None if span is None else pytest.approx(span))


@pytest.mark.parametrize("motion", [None, [], [1], ["a", "b"], [3, 1], [float("nan"), 2], "12", 7])
def test_a_span_that_is_none_is_no_span(motion):
    assert Recording.from_message(message(b"x", motion)).motion is None


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({}, NotAVideoError),
        ({"video": 3}, NotAVideoError),
        ({"video": "not base64!"}, NotAVideoError),
        ({"video": "A" * (limits.MAX_RECORDING_BYTES * 4 // 3 + 8)}, TooLargeError),
    ],
)
def test_messages_that_are_no_recording(sent, error):
    with pytest.raises(error):
        Recording.from_message(sent)


@pytest.mark.parametrize("content", [b"", b"hello", b"\0\0\0\x18ftypmp42" + b"\0" * 500])
def test_bytes_that_are_no_video_leave_nothing(content, tmp_path):
    with pytest.raises(GymformError):
        store_recording(Recording(content), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_loaded_network_leaves_a_processor_and_the_garbage_collector_alone(monkeypatch):
    threads = torch.get_num_threads()
    gc.unfreeze()
    monkeypatch.setattr(live_network, "load_pose_model", lambda name, device: dot_model())
    try:
        live_network.load_live_network()
        assert torch.get_num_threads() == 1
        assert gc.get_freeze_count() > 10_000  # what was imported is not looked through again
    finally:
        gc.unfreeze()
        torch.set_num_threads(threads)
