"""The analysis queue: whatever happens to one job, the next one runs."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import time

import pytest

from gymform.errors import BusyError, NoPersonError, VideoError, WeightsError, WorkerError
from gymform.service.analysis_queue import (
    STAGE_SHARES,
    STOPPED,
    Estimate,
    JobQueue,
    Request,
    State,
    Status,
)
from gymform.service.result_store import ResultStore
from tests.fakes import make_options, write_manifest

WORK = "tests.work:scripted"
ENDED = {State.DONE, State.FAILED, State.CANCELLED}


@pytest.fixture(autouse=True)
def _weights(tmp_path, monkeypatch):
    """Models that are only names: no test here loads one."""
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(write_manifest(tmp_path / "weights")))


@pytest.fixture(name="make_queue")
def _make_queue(tmp_path):
    """Makes queues over one store and closes them after the test."""
    queues: list[JobQueue] = []

    def make(**options) -> JobQueue:
        queues.append(JobQueue(ResultStore(tmp_path / "store"), work=WORK, **options))
        return queues[-1]

    yield make
    for queue in queues:
        queue.close()


@pytest.fixture(name="queue")
def _queue(make_queue) -> JobQueue:
    return make_queue()


@pytest.fixture(name="clip")
def _clip(tmp_path):
    """Makes requests for clips that differ in content; the name says what the worker does."""

    def make(name: str, content: str = "", **options) -> Request:
        path = tmp_path / "uploads" / f"{len(list(tmp_path.glob('uploads/*')))}.mp4"
        path.parent.mkdir(exist_ok=True)
        path.write_text(content or name)
        return Request(path, name, make_options(**options))

    return make


def wait_until(queue: JobQueue, key: str, session: str, *states: State) -> Status:
    """Poll as a page does, until the job is in one of ``states`` (by default: ended)."""
    deadline = time.monotonic() + 30
    while (status := queue.status(key, session)).state not in (states or ENDED):
        assert time.monotonic() < deadline, status
        time.sleep(0.01)
    return status


def run(queue: JobQueue, request: Request, session: str = "me") -> Status:
    return wait_until(queue, queue.submit(request, session), session)


def result(queue: JobQueue, request: Request) -> str:
    folder = queue.store.find(request.key())
    assert folder is not None
    return (folder / "result.txt").read_text()


def worker_of(queue: JobQueue) -> int:
    return queue._slots[0].worker._process.pid


def test_a_job_leaves_a_result_and_nothing_else(queue, clip):
    request = clip("fine")
    assert run(queue, request).state is State.DONE
    assert result(queue, request).endswith("fine")
    assert [folder.name for folder in queue.store.root.iterdir()] == [request.key()]


def test_where_the_plate_is_does_not_change_the_keypoints(clip):
    request = clip("fine")
    marked = dataclasses.replace(request, options=make_options(plate=(0.5, 10.0, 20.0, 5.0)))
    assert marked.key() != request.key()
    assert marked.pose_key() == request.pose_key()
    other = dataclasses.replace(request, options=make_options(flip_test=True))
    assert other.pose_key() != request.pose_key()


def test_another_exercise_model_is_given_the_known_keypoints(queue, clip, tmp_path):
    """The keypoints depend on clip, options and pose network; the answer on the model as well."""
    request, other = clip("fine"), clip("fine", "another clip")
    run(queue, request)
    first = request.key()
    manifest = tmp_path / "weights" / "MANIFEST.json"
    manifest.write_text(manifest.read_text().replace("b" * 64, "c" * 64))
    assert request.key() != first
    run(queue, request)
    run(queue, other)
    assert (queue.store.find(request.key()) / "known.txt").read_text() == first
    assert not (queue.store.find(other.key()) / "known.txt").exists()
    manifest.write_text(manifest.read_text().replace("a" * 64, "d" * 64))  # another pose network
    run(queue, request)
    assert not (queue.store.find(request.key()) / "known.txt").exists()


def test_the_worker_keeps_its_process_and_so_its_models(queue, clip):
    first, second = clip("fine one"), clip("fine two")
    run(queue, first)
    run(queue, second)
    assert result(queue, first).split()[0] == result(queue, second).split()[0]


def test_the_first_answer_is_told_while_the_work_goes_on(queue, clip):
    request = clip("first")
    key = queue.submit(request, "me")
    deadline = time.monotonic() + 30
    while (status := queue.status(key, "me")).first is None:
        assert time.monotonic() < deadline, status
        time.sleep(0.01)
    assert status.state is State.RUNNING
    assert status.stage != "first"
    assert (status.first / "answer.txt").read_text() == "squat"
    (request.path.parent / "go").touch()
    assert wait_until(queue, key, "me").first is None
    assert sorted(path.name for path in queue.store.find(key).iterdir()) == [
        "large.bin",
        "poses.key",
        "result.txt",
    ]


def test_the_same_clip_again_is_done_at_once_under_any_name(queue, clip):
    run(queue, clip("fine", "content"))
    again = clip("die if you are asked to work", "content")
    assert queue.status(queue.submit(again, "other"), "other").state is State.DONE


def test_a_restarted_app_knows_old_results(make_queue, clip):
    request = clip("fine")
    run(make_queue(), request)
    fresh = make_queue()
    assert fresh.status(fresh.submit(request, "me"), "me").state is State.DONE


def test_a_result_on_disk_counts_more_than_an_earlier_failure(make_queue, clip):
    ours, another_app = make_queue(), make_queue()
    assert run(ours, clip("nobody", "content")).state is State.FAILED
    good = clip("fine", "content")
    assert run(another_app, good).state is State.DONE
    assert ours.status(ours.submit(good, "me"), "me").state is State.DONE


def test_other_options_are_another_job(clip):
    keys = {
        clip("a", "same").key(),
        clip("b", "same", flip_test=True).key(),
        clip("c", "other").key(),
    }
    assert len(keys) == 3


def test_a_model_counts_by_content_not_by_how_it_was_chosen(clip):
    named = clip("b", "same", pose_model="pose-a")
    assert clip("a", "same").key() == named.key()


def test_other_weights_are_another_job(clip, monkeypatch, tmp_path):
    request = clip("fine")
    before = request.key()
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(write_manifest(tmp_path / "other", sha256="d" * 64)))
    assert request.key() != before


def test_missing_weights_are_told_at_once(queue, clip, monkeypatch, tmp_path):
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match="missing"):
        queue.submit(clip("fine"), "me")


def test_a_clip_that_is_gone_is_told_at_once(queue, clip):
    request = clip("fine")
    request.path.unlink()
    with pytest.raises(VideoError, match="upload it again"):
        queue.submit(request, "me")


def test_errors_keep_their_type_and_text(queue, clip):
    error = run(queue, clip("nobody")).error
    assert type(error) is NoPersonError
    assert str(error) == "Nobody was found in the clip."


@pytest.mark.parametrize(
    ("order", "text"),
    [("bug", "ZeroDivisionError"), ("hungry", "not enough memory"), ("die", "stopped")],
)
def test_the_unforeseen_is_a_readable_error_and_the_next_job_succeeds(queue, clip, order, text):
    status = run(queue, clip(order))
    assert status.state is State.FAILED
    assert isinstance(status.error, WorkerError)
    assert text in str(status.error)
    assert "Traceback" not in str(status.error)
    assert run(queue, clip("fine")).state is State.DONE
    assert all(not folder.name.startswith(".") for folder in queue.store.root.iterdir())


def test_a_store_that_takes_nothing_is_a_readable_error(queue, clip):
    shutil.rmtree(queue.store.root)
    status = run(queue, clip("fine"))
    assert status.state is State.FAILED
    assert "cannot be written" in str(status.error)
    queue.store.root.mkdir()
    assert run(queue, clip("fine too")).state is State.DONE


def test_a_failed_job_can_be_tried_again(queue, clip):
    request = clip("die")
    assert run(queue, request).state is State.FAILED
    mended = Request(request.path, "fine", request.options)
    assert run(queue, mended).state is State.DONE


def test_kill_in_the_middle_then_the_next_job_succeeds_every_time(queue, clip):
    for number in range(5):
        request = clip(f"wait {number}")
        key = queue.submit(request, "me")
        while wait_until(queue, key, "me", State.RUNNING).stage != "pose":
            time.sleep(0.01)
        os.kill(worker_of(queue), signal.SIGKILL)
        status = wait_until(queue, key, "me")
        assert status.state is State.FAILED
        assert queue.store.find(key) is None
        assert run(queue, clip(f"fine {number}")).state is State.DONE


def test_a_worker_killed_while_idle_is_not_missed(queue, clip):
    run(queue, clip("fine one"))
    worker = queue._slots[0].worker._process
    worker.kill()
    worker.wait()
    assert run(queue, clip("fine two")).state is State.DONE


def test_a_job_given_to_a_worker_that_is_being_killed_goes_to_another(queue, clip):
    """A process of 600 MB takes a while to end: until then it looks alive."""
    run(queue, clip("fine one"))
    dying = worker_of(queue)
    os.kill(dying, signal.SIGSTOP)
    request = clip("fine two")
    key = queue.submit(request, "me")
    wait_until(queue, key, "me", State.RUNNING)
    os.kill(dying, signal.SIGKILL)
    assert wait_until(queue, key, "me").state is State.DONE
    assert result(queue, request) == f"{worker_of(queue)} fine two"


def test_workers_that_never_begin_are_not_tried_for_ever(tmp_path, clip):
    queue = JobQueue(ResultStore(tmp_path / "store"), work="tests.work:there_is_no_such_work")
    try:
        status = run(queue, clip("fine"))
        assert (status.state, str(status.error)) == (State.FAILED, STOPPED)
    finally:
        queue.close()


def test_what_native_code_prints_does_not_disturb(queue, clip):
    assert run(queue, clip("chatty")).state is State.DONE


def test_cancel_a_running_job_keeps_the_worker(queue, clip):
    key = queue.submit(clip("wait"), "me")
    wait_until(queue, key, "me", State.RUNNING)
    before = worker_of(queue)
    queue.cancel(key, "me")
    assert wait_until(queue, key, "me").state is State.CANCELLED
    assert run(queue, clip("fine")).state is State.DONE
    assert worker_of(queue) == before


def test_cancel_a_job_that_does_not_listen_kills_the_worker(make_queue, clip):
    queue = make_queue(grace_s=0.1)
    key = queue.submit(clip("hang"), "me")
    wait_until(queue, key, "me", State.RUNNING)
    queue.cancel(key, "me")
    assert wait_until(queue, key, "me").state is State.CANCELLED
    assert run(queue, clip("fine")).state is State.DONE


def test_a_hung_worker_is_stopped(make_queue, clip):
    queue = make_queue(silent_after_s=3)
    status = run(queue, clip("hang"))
    assert status.state is State.FAILED
    assert "no progress" in str(status.error)
    assert run(queue, clip("fine")).state is State.DONE


def test_cancel_a_waiting_job_never_runs_it(queue, clip, tmp_path):
    running, waiting = clip("wait"), clip("fine")
    first, second = queue.submit(running, "me"), queue.submit(waiting, "me")
    wait_until(queue, first, "me", State.RUNNING)
    queue.cancel(second, "me")
    assert queue.status(second, "me").state is State.CANCELLED
    (tmp_path / "uploads" / "go").touch()
    assert wait_until(queue, first, "me").state is State.DONE
    assert queue.store.find(second) is None


def test_two_sessions_share_a_job_and_one_may_leave(queue, clip, tmp_path):
    request = clip("wait")
    key = queue.submit(request, "first")
    wait_until(queue, key, "first", State.RUNNING)
    assert queue.submit(request, "second") == key
    queue.cancel(key, "first")
    (tmp_path / "uploads" / "go").touch()
    assert wait_until(queue, key, "second").state is State.DONE


def test_a_cancelled_job_can_be_asked_for_again_at_once(make_queue, clip, tmp_path):
    queue = make_queue()
    request = clip("wait")
    key = queue.submit(request, "me")
    wait_until(queue, key, "me", State.RUNNING)
    queue.cancel(key, "me")
    assert queue.submit(request, "me") == key
    (tmp_path / "uploads" / "go").touch()
    assert wait_until(queue, key, "me").state is State.DONE


def test_waiting_jobs_know_their_place(queue, clip, tmp_path):
    keys = [queue.submit(clip(f"wait {n}"), "me") for n in range(3)]
    wait_until(queue, keys[0], "me", State.RUNNING)
    assert [queue.status(key, "me").ahead for key in keys] == [0, 1, 2]
    (tmp_path / "uploads" / "go").touch()
    for key in keys:
        assert wait_until(queue, key, "me").state is State.DONE


def test_a_full_queue_says_busy_and_takes_new_jobs_afterwards(make_queue, clip):
    queue = make_queue(max_waiting=2)
    running = queue.submit(clip("wait"), "me")
    wait_until(queue, running, "me", State.RUNNING)
    waiting = [queue.submit(clip(f"wait {n}"), "me") for n in range(2)]
    started = time.monotonic()
    with pytest.raises(BusyError, match="number 3"):
        queue.submit(clip("one too many"), "me")
    assert time.monotonic() - started < 1
    queue.cancel(waiting[0], "me")
    queue.submit(clip("another"), "me")


def test_an_abandoned_session_frees_its_slots(make_queue, clip):
    queue = make_queue(abandoned_after_s=2)
    gone = [queue.submit(clip(f"wait {n}"), "closed tab") for n in range(2)]
    alive = clip("fine")
    assert run(queue, alive, "me").state is State.DONE
    assert [queue.status(key, "me").state for key in gone] == [State.CANCELLED] * 2


def test_progress_is_told(queue, clip, tmp_path):
    key = queue.submit(clip("wait"), "me")
    deadline = time.monotonic() + 30
    while (status := queue.status(key, "me")).fraction < 0.4:
        assert time.monotonic() < deadline, status
        time.sleep(0.01)
    assert status.stage == "pose"
    (tmp_path / "uploads" / "go").touch()
    assert wait_until(queue, key, "me").state is State.DONE


def test_an_unknown_key_is_not_running(queue):
    assert queue.status("0" * 64, "me").state is State.CANCELLED


def test_the_worker_leaves_with_the_app(make_queue, clip):
    queue = make_queue()
    run(queue, clip("fine"))
    process = queue._slots[0].worker._process
    process.stdin.close()
    assert process.wait(timeout=10) == 0


class TestEstimate:
    def test_it_rises_to_one_and_never_falls(self):
        estimate, seen = Estimate(STAGE_SHARES, now=0.0), [0.0]
        for stage in STAGE_SHARES:
            for done in (0, 5, 3, 10):
                estimate.update(stage, done, 10, now=1.0)
                seen.append(estimate.fraction)
        assert seen == sorted(seen)
        assert seen[-1] == pytest.approx(1.0)

    def test_eta_is_what_is_left_at_this_pace(self):
        estimate = Estimate({"a": 0.5, "b": 0.5}, now=0.0)
        estimate.update("a", 0, 2, now=0.0)
        estimate.update("a", 1, 2, now=5.0)
        assert estimate.eta_s(now=5.0) == pytest.approx(15.0)

    def test_the_time_to_load_models_says_nothing_about_the_pace(self):
        estimate = Estimate({"probe": 0.1, "pose": 0.9}, now=0.0)
        estimate.update("probe", 1, 1, now=60.0)
        assert estimate.eta_s(now=60.0) is None
        estimate.update("pose", 0, 9, now=60.0)
        estimate.update("pose", 1, 9, now=62.0)
        assert estimate.eta_s(now=62.0) == pytest.approx(16.0)

    def test_nothing_is_promised_at_the_start(self):
        estimate = Estimate(STAGE_SHARES, now=0.0)
        assert estimate.eta_s(now=10.0) is None
        estimate.update("pose", 1, 2, now=0.5)
        assert estimate.eta_s(now=0.5) is None

    def test_what_others_took_counts_until_this_job_has_shown_its_own_pace(self):
        """A stage that is slower than its share does not halve or double the estimate."""
        estimate = Estimate(STAGE_SHARES, now=0.0, pace_s=0.1)
        estimate.update("pose", 0, 100, now=0.0)
        assert estimate.frames == 100
        assert estimate.eta_s(now=0.1) == pytest.approx(10 * (1 - estimate.fraction), abs=0.01)
        estimate.update("pose", 20, 100, now=4.0)  # twice as slow as usual
        alone = Estimate(STAGE_SHARES, now=0.0)
        alone.update("pose", 0, 100, now=0.0)
        alone.update("pose", 20, 100, now=4.0)
        usual = 10 * (1 - estimate.fraction)
        assert usual < estimate.eta_s(now=4.0) < alone.eta_s(now=4.0)
        estimate.update("proxy", 99, 100, now=20.0)
        assert estimate.eta_s(now=20.0) == pytest.approx(0.1, abs=0.1)

    def test_it_learns_from_what_a_job_took(self):
        estimate = Estimate({"a": 0.5, "b": 0.5}, now=0.0)
        estimate.update("a", 0, 1, now=0.0)
        estimate.update("b", 0, 1, now=9.0)
        assert estimate.learned(now=10.0) == pytest.approx({"a": 0.7, "b": 0.3})

    @pytest.mark.parametrize("total", [0, -1])
    def test_a_stage_without_a_known_total_is_harmless(self, total):
        estimate = Estimate(STAGE_SHARES, now=0.0)
        estimate.update("search", 3, total, now=1.0)
        estimate.update("a stage of the future", 1, 1, now=1.0)
        assert 0 <= estimate.fraction < 1


def test_one_visitor_has_few_jobs_waiting_in_whatever_sessions(make_queue, clip):
    queue = make_queue(max_waiting=5)
    wait_until(queue, queue.submit(clip("wait"), "me"), "me", State.RUNNING)
    mine = {"owner": "me", "owner_may_wait": 2}
    for session in ("one tab", "another tab"):
        queue.submit(clip(f"wait, {session}"), session, **mine)
    with pytest.raises(BusyError, match=r"2 of your analyses .* the first is number 1"):
        queue.submit(clip("one too many"), "a third tab", **mine)
    queue.submit(clip("somebody else's"), "them", owner="them", owner_may_wait=2)
    queue.submit(clip("nobody counts"), "admin")
    queue.submit(clip("wait, one tab"), "a third tab", **mine | {"owner": "them"})


def test_who_waits_is_told_the_place_and_the_time(make_queue, clip):
    queue = make_queue(max_waiting=2)
    queue._mean_s = 60.0
    wait_until(queue, queue.submit(clip("wait"), "me"), "me", State.RUNNING)
    first, second = (queue.submit(clip(f"wait {n}"), "me") for n in range(2))
    assert [queue.status(key, "me").ahead for key in (first, second)] == [1, 2]
    assert [queue.status(key, "me").eta_s for key in (first, second)] == [60.0, 120.0]
    with pytest.raises(BusyError, match=r"number 3 and begin in about 3 minutes.*in about 60 sec"):
        queue.submit(clip("one too many"), "me")


def test_how_long_jobs_take_is_learnt_from_those_that_ended(make_queue, clip):
    queue = make_queue()
    assert queue._mean_s is None
    run(queue, clip("fine one"))
    assert queue._mean_s is not None
    assert 0 < queue._mean_s < 30
    assert queue.pace_s is None  # that job told no frames
    queue._learn(queue._mean_s + 10, 100)
    assert queue._mean_s > 5
    assert queue.pace_s == pytest.approx(0.1, abs=0.03)


def test_whoever_listens_hears_how_jobs_end(make_queue, clip):
    queue, heard = make_queue(), []
    queue.listen(heard.append)
    fine = run(queue, clip("fine")), heard[-1]
    assert fine[1].folder == queue.store.find(fine[1].key)
    assert fine[1].took_s > 0
    failed = run(queue, clip("nobody")), heard[-1]
    assert failed[1].folder is None
    assert "Nobody" in str(failed[1].error)
    running = queue.submit(clip("wait"), "me")
    wait_until(queue, running, "me", State.RUNNING)
    waiting = queue.submit(clip("wait too"), "me")
    queue.cancel(waiting, "me")
    assert (heard[-1].key, heard[-1].folder) == (waiting, None)
    queue.cancel(running, "me")
    wait_until(queue, running, "me")
    run(queue, clip("fine again"))
    assert running in [one.key for one in heard]
    assert len(heard) == 5


def test_what_ends_with_the_app_has_not_ended(make_queue, clip):
    """It is taken up again by the next one."""
    queue, heard, begun = make_queue(), [], []
    queue.listen(heard.append, begun.append)
    running = queue.submit(clip("wait"), "me")
    wait_until(queue, running, "me", State.RUNNING)
    queue.submit(clip("wait too"), "me")
    queue.close()
    queue._slots[0].thread.join(10)
    assert heard == []
    assert begun == [running]


def test_a_listener_that_fails_costs_no_job(make_queue, clip):
    queue = make_queue()
    queue.listen(lambda ended: 1 / 0, lambda key: 1 / 0)
    assert run(queue, clip("fine")).state is State.DONE
    assert run(queue, clip("fine again")).state is State.DONE


def test_a_session_joins_a_job_that_another_began(queue, clip, tmp_path):
    request = clip("wait")
    key = queue.submit(request, "me")
    queue.join(key, "my phone")
    queue.join("0" * 64, "my phone")
    queue.cancel(key, "me")
    assert wait_until(queue, key, "my phone", State.RUNNING).state is State.RUNNING
    queue.cancel(key, "my phone")
    assert wait_until(queue, key, "my phone").state is State.CANCELLED
