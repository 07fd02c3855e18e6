"""Analyses on a cluster: the queue over a cluster in this process, and over a real one of Ray."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from gymform.errors import NoPersonError, OptionsError, VideoError, WorkerError
from gymform.installation import child_environment
from gymform.service import ray_engine
from gymform.service.analysis_queue import HUNG, STOPPED, JobQueue, Request, State, Status
from gymform.service.ray_engine import RayEngine
from gymform.service.result_store import ResultStore
from tests.fakes import make_options, write_manifest
from tests.service.fake_cluster import FakeRay

WORK = "tests.work:scripted"
ADDRESS = "ray://head:10001"
ENDED = {State.DONE, State.FAILED, State.CANCELLED}


@pytest.fixture(name="weights", autouse=True)
def _weights(tmp_path, monkeypatch):
    """Models that are only names: no test here loads one."""
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(write_manifest(tmp_path / "weights")))


@pytest.fixture(name="ray")
def _ray(monkeypatch) -> FakeRay:
    ray = FakeRay(2.0)
    monkeypatch.setattr(ray_engine, "connect", lambda address: ray)
    return ray


@pytest.fixture(name="make_queue")
def _make_queue(tmp_path):
    queues: list[JobQueue] = []

    def make(address: str = ADDRESS, **options) -> JobQueue:
        store = ResultStore(tmp_path / "store")
        queues.append(JobQueue(store, engine=RayEngine(address, work=WORK), **options))
        return queues[-1]

    yield make
    for queue in queues:
        queue.close()


@pytest.fixture(name="clip")
def _clip(tmp_path):
    """Makes requests for clips that differ in content; the name says what the worker does."""

    def make(name: str) -> Request:
        path = tmp_path / "uploads" / f"{len(list(tmp_path.glob('uploads/*')))}.mp4"
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
        return Request(path, name, make_options())

    return make


@pytest.fixture(name="go")
def _go(tmp_path, monkeypatch):
    """Lets jobs called ``wait`` and ``first`` go on: their clips are copies, elsewhere."""
    from tests import work

    go = tmp_path / "go"
    wait_for = work._wait_for
    monkeypatch.setattr(work, "_wait_for", lambda path, progress: wait_for(go, progress))
    yield go
    go.touch()


def wait_until(queue: JobQueue, key: str, *states: State) -> Status:
    """Poll as a page does, until the job is in one of ``states`` (by default: ended)."""
    deadline = time.monotonic() + 60
    while (status := queue.status(key, "me")).state not in (states or ENDED):
        assert time.monotonic() < deadline, status
        time.sleep(0.01)
    return status


def run(queue: JobQueue, request: Request) -> Status:
    return wait_until(queue, queue.submit(request, "me"))


def first_of(queue: JobQueue, key: str) -> Status:
    """The status of a job as soon as it has its first answer."""
    deadline = time.monotonic() + 60
    while (status := queue.status(key, "me")).first is None:
        assert time.monotonic() < deadline, status
        time.sleep(0.01)
    return status


# --- the queue's part, over a cluster in this process ---------------------------------------------


def test_the_results_lie_in_the_app_s_own_store(ray, make_queue, clip):
    queue, request = make_queue(), clip("fine")
    assert run(queue, request).state is State.DONE
    folder = queue.store.find(request.key())
    names = ["large.bin", "poses.key", "result.txt"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert [path.name for path in queue.store.root.iterdir()] == [request.key()]


def test_as_many_run_at_once_as_the_cluster_has_places(ray, make_queue, clip, go):
    queue = make_queue()
    keys = [queue.submit(clip(f"wait {n}"), "me") for n in range(3)]
    for key in keys[:2]:
        wait_until(queue, key, State.RUNNING)
    assert queue.status(keys[2], "me").state is State.WAITING
    assert queue.status(keys[2], "me").ahead == 2
    go.touch()
    assert {wait_until(queue, key).state for key in keys} == {State.DONE}


def test_who_waits_for_two_places_waits_for_the_sooner(ray, make_queue, clip, go):
    queue = make_queue()
    queue._mean_s = 60.0
    for n in range(2):
        wait_until(queue, queue.submit(clip(f"wait {n}"), "me"), State.RUNNING)
    waiting = [queue.submit(clip(f"wait longer {n}"), "me") for n in range(3)]
    assert [queue.status(key, "me").eta_s for key in waiting] == [60.0, 60.0, 120.0]


def test_a_machine_has_as_many_places_as_whole_workers_fit():
    engine = RayEngine(ADDRESS, cpus=4)
    places = {(8.0, 3.0, 6.0): 3, (4.0,): 1, (10_000.0,): ray_engine.MAX_SLOTS}
    for cpus, slots in places.items():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ray_engine, "connect", lambda address, cpus=cpus: FakeRay(*cpus))
            engine.connect()
        assert engine.slots == slots


def test_a_cluster_without_a_place_is_told(ray):
    with pytest.raises(OptionsError, match="no machine with 4 processors"):
        RayEngine(ADDRESS, cpus=4).connect()


def test_another_version_on_the_cluster_is_told(ray):
    ray.version = "0.0.1"
    with pytest.raises(OptionsError, match=r"expected version .*, got 0\.0\.1"):
        RayEngine(ADDRESS).connect()


def test_the_first_answer_comes_while_the_work_goes_on(ray, make_queue, clip, go):
    queue = make_queue()
    key = queue.submit(clip("first"), "me")
    assert (first_of(queue, key).first / "answer.txt").read_text() == "squat"
    go.touch()
    assert wait_until(queue, key).first is None
    assert not (queue.store.find(key) / "first").exists()


def test_progress_and_cancelling(ray, make_queue, clip, go):
    queue = make_queue()
    key = queue.submit(clip("wait"), "me")
    while wait_until(queue, key, State.RUNNING).stage != "pose":
        time.sleep(0.01)
    queue.cancel(key, "me")
    assert wait_until(queue, key).state is State.CANCELLED
    assert run(queue, clip("fine")).state is State.DONE


def test_errors_keep_their_type_and_text(ray, make_queue, clip):
    error = run(make_queue(), clip("nobody")).error
    assert (type(error), str(error)) == (NoPersonError, "Nobody was found in the clip.")


def test_an_actor_that_dies_costs_its_job_alone(ray, make_queue, clip, go):
    queue = make_queue()
    key = queue.submit(clip("wait"), "me")
    while wait_until(queue, key, State.RUNNING).stage != "pose":
        time.sleep(0.01)
    ray.actors[0].die()
    status = wait_until(queue, key)
    assert (status.state, str(status.error)) == (State.FAILED, STOPPED)
    assert run(queue, clip("fine")).state is State.DONE


def test_an_actor_that_says_nothing_is_stopped(ray, make_queue, clip, monkeypatch):
    monkeypatch.setattr("tests.work.scripted", lambda request, folder, progress: time.sleep(5))
    monkeypatch.setattr(ray_engine, "_WAIT_S", 0.1)
    status = run(make_queue(silent_after_s=1), clip("fine"))
    assert (status.state, str(status.error)) == (State.FAILED, HUNG)
    assert not ray.actors[0].alive


def test_a_job_that_waits_for_a_place_is_not_hung(ray, make_queue, clip):
    """Extractions use the same cluster: its processors may be taken for hours."""
    ray.full = True
    queue = make_queue(silent_after_s=0.2)
    key = queue.submit(clip("fine"), "me")
    wait_until(queue, key, State.RUNNING)
    time.sleep(1.5)
    assert queue.status(key, "me").state is State.RUNNING
    ray.actors[0].give_place()
    assert wait_until(queue, key).state is State.DONE


def test_a_job_that_waits_for_a_place_can_be_cancelled(ray, make_queue, clip):
    ray.full = True
    queue = make_queue(grace_s=0.1)
    key = queue.submit(clip("fine"), "me")
    wait_until(queue, key, State.RUNNING)
    queue.cancel(key, "me")
    assert wait_until(queue, key).state is State.CANCELLED


def test_idle_processors_are_given_back(ray, make_queue, clip, monkeypatch):
    monkeypatch.setattr(RayEngine, "idle_s", 0.1)
    queue = make_queue()
    assert ray.actors == []
    assert run(queue, clip("fine one")).state is State.DONE
    deadline = time.monotonic() + 10
    while ray.actors[0].alive:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert run(queue, clip("fine two")).state is State.DONE
    assert len(ray.actors) == 2


def test_a_lost_cluster_fails_its_jobs_in_words(ray, make_queue, clip, monkeypatch):
    queue = make_queue()

    def unreachable(address):
        raise OptionsError("The Ray cluster cannot be reached.")

    monkeypatch.setattr(ray_engine, "connect", unreachable)
    error = run(queue, clip("fine")).error
    assert isinstance(error, WorkerError)
    assert str(error) == "The Ray cluster cannot be reached. Then try again."


def test_a_cluster_that_was_started_again_is_found(ray, make_queue, clip, monkeypatch):
    queue, disconnected = make_queue(), []

    def disconnect():
        disconnected.append(True)
        ray.lost = False

    monkeypatch.setattr(ray_engine, "disconnect", disconnect)
    ray.lost = True
    assert run(queue, clip("fine")).state is State.DONE
    assert disconnected == [True]


def test_a_clip_that_is_gone_is_told(ray, tmp_path):
    worker = RayEngine(ADDRESS, work=WORK).start()
    request = {"path": str(tmp_path / "gone.mp4"), "options": {"pose_model": None}}
    with pytest.raises(VideoError, match="upload it again"):
        worker.work(1, request, tmp_path)


# --- a real cluster -------------------------------------------------------------------------------


@pytest.fixture(name="cluster")
def _cluster(weights, tmp_path, monkeypatch) -> Iterator[str]:
    """The address of a cluster of this machine, with two processors."""
    pytest.importorskip("ray", reason="needs Ray: pip install -r requirements-ray.txt")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")  # else Ray leaves a token in the home folder
    pytest.importorskip("grpc", reason="needs Ray's client: pip install -r requirements-ray.txt")
    head, client = _free_port(), _free_port()
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block",
               "--num-cpus=2", "--include-dashboard=false", "--object-store-memory=100000000",
               "--disable-usage-stats", f"--port={head}", f"--ray-client-server-port={client}",
               "--min-worker-port=0", "--max-worker-port=0"]  # fmt: skip
    with (tmp_path / "ray.log").open("w") as log:
        process = subprocess.Popen(command, env=child_environment(), stdout=log, stderr=log)
    try:
        _wait_for_port(client)
        yield f"ray://127.0.0.1:{client}"
    finally:
        import ray

        ray.shutdown()
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, port
            time.sleep(0.2)


@pytest.mark.timeout(300)
def test_a_real_cluster_does_all_of_it(cluster, make_queue, clip):
    queue = make_queue(cluster)
    waiting = [queue.submit(clip(f"wait {n}"), "me") for n in range(2)]
    for key in waiting:
        while wait_until(queue, key, State.RUNNING).stage != "pose":
            time.sleep(0.05)
    for key in waiting:
        queue.cancel(key, "me")
    assert {wait_until(queue, key).state for key in waiting} == {State.CANCELLED}
    for _ in range(2):
        killed = run(queue, clip("die"))
        assert (killed.state, str(killed.error)) == (State.FAILED, STOPPED)
        request = clip("fine")
        assert run(queue, request).state is State.DONE
        worker = int((queue.store.find(request.key()) / "result.txt").read_text().split()[0])
        assert worker != os.getpid()
    first = queue.submit(clip("first"), "me")
    assert (first_of(queue, first).first / "answer.txt").read_text() == "squat"
    queue.cancel(first, "me")
    assert wait_until(queue, first).state is State.CANCELLED
    assert type(run(queue, clip("nobody")).error) is NoPersonError
