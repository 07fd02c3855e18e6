"""The command groups: who is in which clip is listed, said, and taken back."""

import pytest

from gymform import cli
from gymform.dataset import people
from gymform.dataset.groups import unconfirmed
from gymform.dataset.people import Proposal
from gymform.dataset.reviews import ReviewStore
from tests.dataset.makers import make_store


@pytest.fixture
def dataset(tmp_path):
    return make_store(tmp_path / "set", 4, files=False)


@pytest.fixture
def store(dataset):
    with ReviewStore.open(dataset) as opened:
        yield opened


@pytest.fixture
def groups(dataset, capsys):
    """Runs the command: exit code and what it said."""

    def run(*words):
        code = cli.main(["groups", str(dataset), *words, "--reviewer", "Ann"])
        told = capsys.readouterr()
        return code, told.out + told.err

    return run


def named(store):
    return [clip.group for clip in store.clips()]


def test_it_lists_groups_and_what_nobody_confirmed(groups):
    code, text = groups()
    assert code == cli.OK
    assert text.count("\n * ") == 4
    assert "4 clips of 4 people or sources" in text
    assert "nobody confirmed" in text
    assert "4 clips confirmed" in groups("confirm")[1]
    assert "nobody confirmed" not in groups("list")[1]


def test_clips_are_put_together_and_taken_apart_by_name_or_id(groups, store):
    before = named(store)
    second = store.clips()[1].sha256
    assert groups("merge", "clip-0000.mp4", second[:10], "--as", "Zoe")[0] == cli.OK
    assert named(store) == ["Zoe", "Zoe", *before[2:]]
    assert groups("split", "clip-0000.mp4")[0] == cli.OK
    assert named(store) == ["clip-0000", "Zoe", *before[2:]]
    assert groups("undo") == (cli.OK, "1 clips as before\n")
    assert groups("undo")[0] == cli.OK
    assert named(store) == before
    assert groups("undo")[0] == cli.FAILED


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["merge", "clip-0000.mp4"], "--as NAME"),
        (["merge", "--as", "Zoe"], "Which clips?"),
        (["split", "nobody.mp4"], "there is none"),
        (["split", ""], "there is none"),
        (["merge", "clip-0000.mp4", "--as", " "], "name of a person"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_changes(groups, store, words, told):
    before = named(store)
    code, text = groups(*words)
    assert code == cli.FAILED
    assert told in text
    assert named(store) == before


def test_proposals_change_nothing_until_they_are_taken(groups, store, monkeypatch):
    before = named(store)
    ids = [clip.sha256 for clip in store.clips()]
    proposal = Proposal(dict(zip(ids, "aabb", strict=True)), dict.fromkeys(ids, 0.9))
    monkeypatch.setattr(people, "propose_groups", lambda store, progress: proposal)
    code, text = groups("propose")
    assert code == cli.OK
    assert text.count("90% sure") == 4
    assert "Nothing was changed" in text
    assert named(store) == before
    assert groups("propose", "--take")[0] == cli.OK
    assert named(store) == list("aabb")
    assert not unconfirmed(store)


def test_without_keypoints_there_is_nothing_to_compare(tmp_path, groups, monkeypatch):
    monkeypatch.setattr(people, "propose_groups", lambda store, progress: Proposal({}, {}))
    code, text = groups("propose")
    assert code == cli.FAILED
    assert "extract" in text
