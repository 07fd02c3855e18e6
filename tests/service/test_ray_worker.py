"""The cluster's end of an analysis: clips come as bytes, results go as bytes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from gymform.service.ray_worker import Host, needs_of, parcel_of, read_files, write_files
from tests.fakes import make_options, write_manifest

WORK = "tests.work:scripted"


@pytest.fixture(autouse=True)
def _weights(tmp_path, monkeypatch):
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(write_manifest(tmp_path / "weights")))


def request_called(name: str, **more: Any) -> dict[str, Any]:
    """A request as the queue makes it; the name says what the worker does."""
    options = dataclasses.asdict(make_options())
    return {"path": "/there/is/no/such.mov", "name": name, "options": options, **more}


def said(name: str, **more: Any) -> list[dict[str, Any]]:
    """All messages about a job with that name, done by a host."""
    host = Host(WORK)
    host.work(parcel_of(7, request_called(name, **more)), b"the clip")
    return host.messages(1)


def test_the_results_come_with_the_last_message():
    *progress, done = said("fine")
    assert {message["is"] for message in progress} == {"progress"}
    assert (done["id"], done["is"]) == (7, "done")
    assert sorted(done["files"]) == ["large.bin", "result.txt"]


def test_the_first_answer_comes_with_its_progress(monkeypatch):
    monkeypatch.setattr("tests.work._wait_for", lambda path, progress: None)
    (first,) = [message for message in said("first") if message.get("stage") == "first"]
    assert first["files"] == {"answer.txt": b"squat"}


def test_the_clip_is_a_file_of_its_own_with_its_suffix(monkeypatch):
    seen = []

    def work(request, folder, progress):
        seen.append((Path(request["path"]).suffix, Path(request["path"]).read_bytes()))
        seen.append(Path(request["path"]))

    monkeypatch.setattr("tests.work.scripted", work)
    assert said("fine")[-1]["is"] == "done"
    assert seen[0] == (".mov", b"the clip")
    assert not seen[1].exists()


def test_a_known_result_travels_along(tmp_path):
    known = tmp_path / "known"
    write_files({"poses.npz": b"keypoints"}, known)
    done = said("fine", known=str(known))[-1]
    assert done["files"]["known.txt"] == b"known"


def test_a_failure_is_told_like_that_of_a_local_worker():
    failed = said("nobody")[-1]
    assert (failed["is"], failed["kind"]) == ("failed", "NoPersonError")


def test_a_cancelled_job_stops_at_its_next_progress():
    host = Host(WORK)
    host.cancel(7)
    host.work(parcel_of(7, request_called("wait")), b"")
    assert [message["is"] for message in host.messages(1)] == ["cancelled"]


def test_without_anything_to_say_the_call_ends_in_time():
    assert Host(WORK).messages(0.01) == []


@pytest.mark.parametrize("name", ["version of gymform", "pose network", "exercise model"])
def test_other_models_or_another_version_give_no_result(name):
    host, parcel = Host(WORK), parcel_of(7, request_called("fine"))
    host.work({**parcel, "needs": needs_of(parcel["request"]) | {name: "other"}}, b"")
    (failed,) = host.messages(1)
    assert failed["kind"] == "WorkerError"
    assert name in failed["text"]
    assert "expected other, got" in failed["text"]


def test_files_are_the_same_after_the_way(tmp_path):
    write_files({"a.txt": b"1", "b.bin": b"\0"}, tmp_path / "one")
    (tmp_path / "one" / "folder").mkdir()
    assert read_files(tmp_path / "one") == {"a.txt": b"1", "b.bin": b"\0"}
