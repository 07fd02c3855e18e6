"""Extraction: complete files or none, continues where it stopped, and no clip stops the others."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gymform.dataset import extraction
from gymform.dataset import items as it
from gymform.dataset.clips import import_clips
from gymform.dataset.extraction import extract
from gymform.dataset.reviews import ReviewStore
from gymform.errors import BusyError, Cancelled, OptionsError
from gymform.in_use import locked
from gymform.pose.files import load_poses
from gymform.video.read import probe
from tests.dataset.makers import write_scene

PROJECT = Path(__file__).resolve().parents[2]
FAKE = "tests.dataset.fake_poses:estimate"


def make_dataset(folder: Path, names: tuple[str, ...]) -> Path:
    """A data set of clips of 3 s by these names, not yet extracted."""
    originals = folder / "originals"
    originals.mkdir(parents=True)
    for seed, name in enumerate(names):
        write_scene(originals / f"{name}.mp4", seed, scale=0.5)
    with ReviewStore.open(folder / "set", create=True) as store:
        import_clips(originals, store, exercise="squat")
    return folder / "set"


@pytest.fixture
def store(tmp_path):
    with ReviewStore.open(make_dataset(tmp_path, ("ann", "bob"))) as opened:
        yield opened


def files_of(folder: Path) -> dict[str, bytes]:
    """All that extraction made, by name within the data set."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for kind in ("poses", "proxies", "thumbs")
        for path in (folder / kind).glob("*")
    }


def test_a_clip_gets_poses_video_poster_and_its_repetitions(store):
    report = extract(store, estimate=FAKE)
    assert (sorted(report.extracted), report.failed) == (["ann.mp4", "bob.mp4"], ())
    for clip in store.clips():
        assert clip.state == it.EXTRACTED
        pose = load_poses(store.files.poses(clip.sha256))
        assert (len(pose), pose.provenance.clip_sha256) == (clip.frames, clip.sha256)
        proxy = probe(store.files.proxy(clip.sha256))
        assert (proxy.width, proxy.height, proxy.frames) == (80, 60, clip.frames)
    parts = [(j.item.name, j.item.part) for j in store.judged(it.Filter(order=it.NAME))]
    assert parts == [("ann.mp4", 1), ("ann.mp4", 2), ("bob.mp4", 1), ("bob.mp4", 2)]
    for judged in store.judged():
        assert store.files.thumb(judged.item.id).read_bytes().startswith(b"\xff\xd8")
        assert judged.item.end_s - judged.item.start_s == pytest.approx(1.4, abs=0.3)
        assert 0 < judged.quality <= 1
        assert len(judged.problems) == len(judged.notes)


def test_a_second_extraction_does_nothing(store, monkeypatch):
    extract(store, estimate=FAKE)
    monkeypatch.setattr(extraction, "extract_clip", lambda *_: pytest.fail("worked again"))
    assert sorted(extract(store, estimate=FAKE).known) == ["ann.mp4", "bob.mp4"]


def test_again_makes_the_same_keypoints_and_keeps_decisions(store):
    extract(store, estimate=FAKE)
    before = files_of(store.folder)
    judged = store.judged()
    store.decide(judged[0].item.id, it.ACCEPTED, reviewer="ann")
    extract(store, estimate=FAKE, again=True)
    after = files_of(store.folder)
    assert sorted(after) == sorted(before)
    assert all(after[name] == before[name] for name in after if name.startswith("poses"))
    assert store.get(judged[0].item.id).verdict == it.ACCEPTED
    assert [j.item for j in store.judged()] == [j.item for j in judged]


def test_a_clip_that_fails_says_why_and_the_others_come_through(tmp_path):
    with ReviewStore.open(make_dataset(tmp_path, ("a nobody", "bug", "fine"))) as store:
        report = extract(store, estimate=FAKE)
        assert report.extracted == ("fine.mp4",)
        assert dict(report.failed) == {
            "a nobody.mp4": "Nobody was found in this clip.",
            "bug.mp4": "An unexpected problem arose (ZeroDivisionError).",
        }
        states = {clip.name: (clip.state, clip.reason) for clip in store.clips()}
        assert states["a nobody.mp4"] == (it.FAILED, "Nobody was found in this clip.")
        assert extract(store, estimate=FAKE).known == ("fine.mp4",)  # failures are tried again


def test_a_clip_that_kills_its_process_fails_alone(tmp_path):
    with ReviewStore.open(make_dataset(tmp_path, ("killer", "fine"))) as store:
        report = extract(store, estimate=FAKE, jobs=2)
        assert report.extracted == ("fine.mp4",)
        ((name, reason),) = report.failed
        assert name == "killer.mp4"
        assert "ended from outside" in reason


def test_progress_counts_frames_and_may_stop(store):
    heard = []

    def listen(stage, done, total):
        heard.append((stage, done, total))
        if done == 75:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        extract(store, estimate=FAKE, progress=listen)
    assert heard[0] == ("extract", 0, 150)
    assert {clip.state for clip in store.clips()} <= {it.IMPORTED, it.EXTRACTED}
    extract(store, estimate=FAKE)
    assert {clip.state for clip in store.clips()} == {it.EXTRACTED}


@pytest.mark.parametrize("options", [{"engine": "cloud"}, {"jobs": 0}])
def test_options_that_do_not_fit(store, options):
    with pytest.raises(OptionsError):
        extract(store, estimate=FAKE, **options)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")
@pytest.mark.parametrize("part", ["sample_frames", "draw_skeletons"])
def test_a_clip_that_asks_for_too_much_memory_fails_alone_and_in_words(store, monkeypatch, part):
    real = getattr(extraction, part)

    def greedy(*arguments, **options):
        if any(store.clips()[0].sha256 in str(one) for one in arguments):
            np.empty(8 * 1024**3, np.uint8)
        return real(*arguments, **options)

    monkeypatch.setattr(extraction, part, greedy)
    report = extract(store, estimate=FAKE)
    assert [reason for _, reason in report.failed] == [
        "There is not enough memory: use a shorter or smaller clip, or fewer jobs."
    ]
    assert len(report.extracted) == 1


# --- kill -9 ------------------------------------------------------------------------------------

EXTRACT = """
import sys
from pathlib import Path
from gymform.dataset.extraction import extract
from gymform.dataset.reviews import ReviewStore
if __name__ == "__main__":
    store = ReviewStore.open(Path(sys.argv[1]))
    print("ready", flush=True)
    told = lambda stage, done, total: print(done, total, flush=True)
    jobs = int((sys.argv[2:] or ["1"])[0])
    extract(store, jobs=jobs, estimate="tests.dataset.fake_poses:estimate", progress=told)
"""


def test_an_extraction_that_was_killed_goes_on_and_ends_the_same(tmp_path):
    """R9, a few times; benchmarks/hardening.py does it often."""
    names = ("ann", "bob", "cem", "dee")
    with ReviewStore.open(make_dataset(tmp_path / "whole", names)) as whole:
        extract(whole, estimate=FAKE)
        expected, items = files_of(whole.folder), whole.judged()
    folder = make_dataset(tmp_path / "killed", names)
    for lines in (2, 5):
        process = subprocess.Popen(
            [sys.executable, "-c", EXTRACT, str(folder)],
            stdout=subprocess.PIPE, text=True, cwd=PROJECT,
        )  # fmt: skip
        for _ in range(lines):
            process.stdout.readline()
        process.kill()
        process.wait()
        for path in (folder / "poses").glob("[!.]*"):
            load_poses(path)
    with ReviewStore.open(folder) as killed:
        extract(killed, estimate=FAKE)
        made = {name: data for name, data in files_of(folder).items() if "/." not in name}
        assert sorted(made) == sorted(expected)
        for name, data in made.items():
            if name.endswith(".mp4"):  # the encoder's bytes may vary with the processors it finds
                assert probe(folder / name).frames == 75
            else:
                assert data == expected[name]
        assert killed.judged() == items


def test_workers_end_when_the_process_that_started_them_is_killed(tmp_path):
    folder = make_dataset(tmp_path, ("sleeper one", "sleeper two"))
    process = subprocess.Popen(
        [sys.executable, "-c", EXTRACT, str(folder), "2"], stdout=subprocess.DEVNULL, cwd=PROJECT
    )
    try:
        until(lambda: len(list((folder / "clips").glob("*.asleep"))) == 2)
    finally:
        process.kill()
        process.wait()
    workers = [int(path.read_text()) for path in (folder / "clips").glob("*.asleep")]
    until(lambda: not any(map(is_alive, workers)))


def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Return once ``holds()``; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


def is_alive(process: int) -> bool:
    """Is there a process of this number that has not ended?"""
    try:
        os.kill(process, 0)
        status = Path(f"/proc/{process}/status")
        return not status.exists() or "State:\tZ" not in status.read_text()
    except OSError:
        return False


# --- ray ----------------------------------------------------------------------------------------


def test_without_ray_the_engine_says_what_to_install(store, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(OptionsError, match=r"requirements-ray\.txt"):
        extract(store, estimate=FAKE, engine="ray")


def test_a_local_ray_cluster_does_the_same_work(store, tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")  # else Ray leaves a token in the home folder
    pytest.importorskip("ray", reason="needs Ray: pip install -r requirements-ray.txt")
    report = extract(store, estimate=FAKE, engine="ray")
    assert (sorted(report.extracted), report.failed) == (["ann.mp4", "bob.mp4"], ())
    with ReviewStore.open(make_dataset(tmp_path / "local", ("ann", "bob"))) as local:
        extract(local, estimate=FAKE)
        here, there = files_of(local.folder), files_of(store.folder)
        assert sorted(here) == sorted(there)
        assert all(here[name] == there[name] for name in here if name.startswith("poses"))
        assert store.judged() == local.judged()


def test_two_extractions_of_one_data_set_do_not_run_at_once(tmp_path):
    with ReviewStore.open(tmp_path / "set", create=True) as store:
        with (
            locked(store.files.extraction_lock, ""),
            pytest.raises(BusyError, match="Another extraction"),
        ):
            extract(store)
        assert extract(store).extracted == ()
