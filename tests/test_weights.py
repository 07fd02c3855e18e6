"""Manifests: what is listed, what is refused, and with which words."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gymform import weights
from gymform.errors import WeightsError
from gymform.weights import (
    MANIFEST,
    ModelEntry,
    checked_path,
    local_models,
    manifest_entry,
    read_manifest,
    sha256_of,
    write_entry,
)

FILE = b"not really weights"
ITEM = {
    "name": "one",
    "kind": "pose",
    "file": "one.safetensors",
    "sha256": "9b1a4ac2f9cb4a4a1ea5b6ab4a4a1ea5b6ab4a4a1ea5b6ab4a4a1ea5b6ab4a4a",
    "bytes": len(FILE),
    "licence": "MIT",
    "provenance": "made up",
    "config": {"dim": 384},
}


@pytest.fixture
def embedded(tmp_path, monkeypatch) -> Path:
    """A folder of embedded models for the test."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(folder))
    return folder


def put(folder: Path, content: object) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / MANIFEST).write_text(text)


def manifest(*items: dict, **others: object) -> dict:
    return {"schema": 1, "default_pose": "one", "models": list(items)} | others


def stored(folder: Path, **changes: object) -> ModelEntry:
    """An entry whose file exists and matches."""
    path = folder / str(changes.get("file", "one.safetensors"))
    path.write_bytes(FILE)
    return ModelEntry(**ITEM | {"sha256": sha256_of(path)} | changes, folder=folder)


def test_replacing_the_default_is_a_change_of_one_name(embedded):
    put(embedded, manifest(ITEM, ITEM | {"name": "two"}))
    assert manifest_entry().name == "one"
    put(embedded, manifest(ITEM, ITEM | {"name": "two"}, default_pose="two"))
    assert manifest_entry().name == "two"


def test_kinds_do_not_mix(embedded):
    put(
        embedded, manifest(ITEM, ITEM | {"name": "tcn", "kind": "exercise"}, default_exercise="tcn")
    )
    assert manifest_entry(kind="exercise").name == "tcn"
    with pytest.raises(WeightsError, match=r"no pose model 'tcn'. Known: one\."):
        manifest_entry("tcn")


def test_an_entry_written_is_the_entry_read_and_the_rest_stays(embedded):
    put(embedded, manifest(ITEM, comment="kept"))
    added = stored(embedded, name="two", file="two.safetensors")
    write_entry(added)
    changed = replace(added, licence="other")
    write_entry(changed)
    assert read_manifest().models[1:] == (changed,)
    content = json.loads((embedded / MANIFEST).read_text())
    assert content["comment"] == "kept"
    assert content["default_pose"] == "one"
    assert content["models"][0] == ITEM
    assert [path.name for path in embedded.iterdir() if path.name.startswith(".")] == []


def test_local_models_are_found_beside_the_embedded_ones(embedded):
    put(embedded, manifest(ITEM))
    assert local_models() == ()
    mine = stored(weights.local_dir(), name="mine")
    write_entry(mine)
    assert local_models() == (mine,)
    assert manifest_entry("mine") == mine
    assert not mine.embedded
    assert manifest_entry("one").embedded


def test_a_broken_local_manifest_does_not_take_the_default_away(embedded):
    put(embedded, manifest(ITEM))
    put(weights.local_dir(), "{")
    assert manifest_entry().name == "one"
    with pytest.raises(WeightsError, match="repair or delete"):
        manifest_entry("mine")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", r"not valid JSON\. Restore"),
        ("{", "not valid JSON"),
        ("\xff", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ([], "schema 1"),
        ({}, "schema 1"),
        (manifest(ITEM, schema=2), "schema 1"),
        ({"schema": 1}, "a list 'models'"),
        ({"schema": 1, "models": {}}, "a list 'models'"),
        (manifest("one"), "should be an object"),
        (manifest(ITEM, ITEM), "'one' is listed twice"),
        (manifest(ITEM, default_pose=""), "names no default_pose"),
        (manifest(ITEM, default_pose="gone"), "no pose model 'gone'. Known: one"),
        *((manifest({k: v for k, v in ITEM.items() if k != gone}), gone) for gone in ITEM),
        (manifest(ITEM | {"name": "../up"}), "cannot be a model's name"),
        (manifest(ITEM | {"name": 3}), "cannot be a model's name"),
        (manifest(ITEM | {"kind": "other"}), "'one': expected kind"),
        (manifest(ITEM | {"file": "../../secret.safetensors"}), "'one': expected a plain file"),
        (manifest(ITEM | {"file": "/etc/passwd"}), "'one': expected a plain file"),
        (manifest(ITEM | {"file": "one.pkl"}), "'one': expected a plain file"),
        (manifest(ITEM | {"file": ["one.pth"]}), "'one': expected a plain file"),
        (manifest(ITEM | {"sha256": ""}), "'one': expected sha256"),
        (manifest(ITEM | {"sha256": "G" * 64}), "'one': expected sha256"),
        (manifest(ITEM | {"bytes": 0}), "'one': expected bytes"),
        (manifest(ITEM | {"bytes": 1e6}), "'one': expected bytes"),
        (manifest(ITEM | {"bytes": 10**12}), "'one': expected bytes"),
        (manifest(ITEM | {"config": []}), "'one': config"),
        (manifest(ITEM | {"licence": None}), "'one': licence"),
    ],
)
def test_a_manifest_that_is_not_one_is_refused_with_what_is_wrong(content, text, embedded):
    if content == "\xff":
        (embedded / MANIFEST).write_bytes(b"\xff\xfe{}")
    else:
        put(embedded, content)
    with pytest.raises(WeightsError, match=text) as raised:
        manifest_entry()
    assert str(embedded) not in str(raised.value)


def test_a_missing_manifest_says_what_to_do(embedded):
    with pytest.raises(WeightsError, match=r"MANIFEST\.json is missing\. Restore"):
        read_manifest()


def test_a_file_is_trusted_only_with_its_size_and_sha256(embedded):
    entry = stored(embedded)
    assert checked_path(entry) == embedded / "one.safetensors"
    for content, text in (
        (FILE + b"x", f"expected {len(FILE)} bytes, got {len(FILE) + 1}"),
        (b"", "got 0"),
        (FILE.swapcase(), "expected sha256 .* not opened"),
    ):
        entry.path.write_bytes(content)
        with pytest.raises(WeightsError, match=rf"one\.safetensors.*{text}.* Restore"):
            checked_path(entry)
    entry.path.unlink()
    with pytest.raises(WeightsError, match=r"one\.safetensors is missing. Restore"):
        checked_path(entry)
    entry.path.mkdir()
    with pytest.raises(WeightsError, match=r"one\.safetensors"):
        checked_path(entry)


def test_the_manifest_is_read_without_torch():
    """Pages list models before anything slow is imported."""
    source = Path(weights.__file__).read_text(encoding="utf-8")
    assert "import torch" not in source


def test_tensors_that_the_disk_refuses_are_an_oserror(tmp_path):
    """The library has an error of its own for that, which nobody who writes files expects."""
    tensors = {"a": torch.zeros(100_000)}
    with pytest.raises(FileNotFoundError):
        weights.write_tensors(tmp_path / "gone" / "a.safetensors", tensors)
    weights.write_tensors(tmp_path / "a.safetensors", tensors, {"about": "x"})
    assert (tmp_path / "a.safetensors").stat().st_size > 400_000
