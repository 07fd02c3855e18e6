"""Clips come in once, under their sha256, with exercise and group, and originals stay."""

import csv
import hashlib
import shutil

import pytest

from gymform.dataset import clips as cl
from gymform.dataset.clips import find_clips, import_clips
from gymform.dataset.groups import unconfirmed
from gymform.dataset.reviews import ReviewStore
from gymform.dataset.splits import check_split, split
from gymform.errors import Cancelled, LeakError, OptionsError
from tests.dataset.makers import item_of, write_scene


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """squat/ann/{1,2}.mp4, squat/bob.mp4, row/ann.mp4 and things that are no clips."""
    folder = tmp_path_factory.mktemp("mine")
    for seed, name in enumerate(("squat/ann/1", "squat/ann/2", "squat/bob", "row/ann")):
        path = folder / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_scene(path, seed, end_s=1.5)
    (folder / "notes.txt").write_text("not a clip")
    (folder / "squat" / ".hidden.mp4").write_bytes(b"x")
    return folder


@pytest.fixture
def mine(scenes, tmp_path):
    return shutil.copytree(scenes, tmp_path / "mine")


@pytest.fixture
def store(tmp_path):
    with ReviewStore.open(tmp_path / "set", create=True) as opened:
        yield opened


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def grouping(found):
    return {file.source: (file.exercise, file.group) for file in found}


def test_groups_that_somebody_named_are_confirmed_and_folders_are_not(mine, store):
    rows = [("squat/bob.mp4", "squat", "b"), ("row/ann.mp4", "row", "")]
    with (mine / "some.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("file", "exercise", "group"), *rows])
    import_clips(mine, store, group_by=f"csv:{mine / 'some.csv'}")
    import_clips(mine, store)
    left = unconfirmed(store)
    assert {clip.source for clip in store.clips() if clip.sha256 in left} == {
        "row/ann.mp4", "squat/ann/1.mp4", "squat/ann/2.mp4",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("group_by", "unnamed"),
    [("person:Zoe", set()), ("regex:ann", {"bob.mp4"}), ("folder", {"ann.mp4", "bob.mp4"})],
)
def test_a_name_or_a_pattern_names_groups(scenes, group_by, unnamed):
    found = find_clips(scenes, exercise="squat", group_by=group_by)
    names = {file.path.name for file in found if not file.stated}
    assert names & {"ann.mp4", "bob.mp4"} == unnamed
    if group_by == "person:Zoe":
        assert {file.group for file in found} == {"Zoe"}


# --- finding ------------------------------------------------------------------------------------


def test_folders_say_exercise_and_group(scenes):
    assert grouping(find_clips(scenes)) == {
        "row/ann.mp4": ("row", "row/ann"),
        "squat/ann/1.mp4": ("squat", "ann"),
        "squat/ann/2.mp4": ("squat", "ann"),
        "squat/bob.mp4": ("squat", "squat/bob"),
    }


def test_one_exercise_for_all(scenes):
    found = grouping(find_clips(scenes / "squat", exercise="front squat", group_by="folder"))
    assert found == {
        "ann/1.mp4": ("front squat", "ann"),
        "ann/2.mp4": ("front squat", "ann"),
        "bob.mp4": ("front squat", "bob"),
    }


@pytest.mark.parametrize(
    ("pattern", "groups"),
    [
        (r"(ann|bob)", ["ann", "ann", "ann", "bob"]),
        (r"(\w+)/(?P<group>ann|bob)", ["ann", "ann", "ann", "bob"]),
        (r"ann", ["ann", "ann", "ann", "bob"]),  # bob's is named by its file
    ],
)
def test_a_pattern_names_groups(scenes, pattern, groups):
    found = find_clips(scenes, exercise="squat", group_by=f"regex:{pattern}")
    assert [file.group for file in found] == groups


def test_a_table_says_it_all(mine):
    rows = [("squat/bob.mp4", "squat", "b"), ("row/ann.mp4", "row", ""), ("gone.mp4", "row", "c")]
    with (mine / "index.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("file", "exercise", "group"), *rows])
    expected = {
        "squat/bob.mp4": ("squat", "b"),
        "row/ann.mp4": ("row", "ann"),
        "gone.mp4": ("row", "c"),
    }
    assert grouping(find_clips(mine, group_by=f"csv:{mine / 'index.csv'}")) == expected
    assert grouping(find_clips(mine)) == expected  # it is found by itself


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"group_by": "person"}, "folder, regex:PATTERN, csv:FILE or person:NAME"),
        ({"group_by": "person: "}, "folder, regex:PATTERN, csv:FILE or person:NAME"),
        ({"group_by": "regex"}, "folder, regex:PATTERN, csv:FILE or person:NAME"),
        ({"group_by": "regex:(", "exercise": "squat"}, "no regular expression"),
        ({"group_by": "csv:none.csv"}, "none.csv cannot be read"),
    ],
)
def test_options_that_do_not_fit(scenes, options, text):
    with pytest.raises(OptionsError, match=text) as error:
        find_clips(scenes, **options)
    assert str(scenes) not in str(error.value)


@pytest.mark.parametrize("table", ["", "name,what\na,b\n", "file,exercise\n,squat\n"])
def test_tables_that_do_not_fit(scenes, tmp_path, table):
    (tmp_path / "t.csv").write_text(table)
    with pytest.raises(OptionsError, match=r"t\.csv"):
        find_clips(scenes, group_by=f"csv:{tmp_path / 't.csv'}")


@pytest.mark.parametrize(
    "table", ["root:x:0:0:root:/root\nnext line\n", "SECRET=42", "SECRET,file\na,b\n", "\x7fELF\n"]
)
def test_what_stands_in_a_file_that_is_no_table_is_not_quoted(scenes, tmp_path, table):
    (tmp_path / "t.csv").write_text(table)
    with pytest.raises(OptionsError, match=r"t\.csv: expected the columns") as caught:
        find_clips(scenes, group_by=f"csv:{tmp_path / 't.csv'}")
    assert not any(word in str(caught.value) for word in ("SECRET", "root", "ELF", "42"))


@pytest.mark.parametrize("table", ["../secret.csv", "secret.csv", "../nothing there.csv"])
def test_a_table_outside_the_open_folders_is_not_read(mine, tmp_path, table):
    (tmp_path / "secret.csv").write_text("file,exercise\nsquat/bob.mp4,squat\n")
    (mine / "secret.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(OptionsError, match="outside the folders"):
        find_clips(mine, group_by=f"csv:{table}", allowed=below(mine))


def below(folder):
    return lambda path: path.resolve().is_relative_to(folder.resolve())


def test_files_outside_the_open_folders_are_left_out(mine, store, tmp_path):
    secret = tmp_path / "secret.mp4"
    write_scene(secret, 9, end_s=1.5)
    (mine / "squat" / "link.mp4").symlink_to(secret)
    (mine / "index.csv").write_text(
        "file,exercise\n../secret.mp4,squat\nsquat/link.mp4,squat\n"
        f"{secret},squat\nsquat/bob.mp4,squat\n"
    )
    report = import_clips(mine, store, allowed=below(mine))
    assert [clip.name for clip in report.added] == ["bob.mp4"]
    assert len(report.unreadable) == 3
    assert all("outside the folders" in file.reason for file in report.unreadable)


def test_an_exercise_is_needed_for_clips_in_no_folder(scenes):
    with pytest.raises(OptionsError, match="--exercise"):
        find_clips(scenes / "row")


def test_folders_without_clips_or_not_there(tmp_path):
    with pytest.raises(OptionsError, match="no video"):
        find_clips(tmp_path)
    with pytest.raises(OptionsError, match="no folder"):
        find_clips(tmp_path / "none")


# --- importing ----------------------------------------------------------------------------------


def test_clips_are_copied_under_their_sha256_and_originals_stay(mine, store):
    before = contents(mine)
    report = import_clips(mine, store)
    assert contents(mine) == before
    assert [clip.source for clip in report.added] == sorted(clip.source for clip in report.added)
    assert len(report.added) == 4
    assert not report.duplicates
    assert not report.unreadable
    for clip in store.clips():
        copied = store.files.clip(clip).read_bytes()
        assert hashlib.sha256(copied).hexdigest() == clip.sha256
        assert copied == (mine / clip.source).read_bytes()
        assert (clip.width, clip.height, clip.fps) == (160, 120, pytest.approx(25))


def test_a_second_import_adds_nothing(mine, store):
    import_clips(mine, store)
    before = (store.clips(), contents(store.folder / "clips"))
    again = import_clips(mine, store)
    assert (len(again.added), len(again.known)) == (0, 4)
    assert (store.clips(), contents(store.folder / "clips")) == before


def test_an_import_that_was_stopped_goes_on(mine, store):
    def stop(stage, done, total):
        if done == 2:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        import_clips(mine, store, progress=stop)
    assert len(store.clips()) == 2
    report = import_clips(mine, store)
    assert (len(report.known), len(report.added)) == (2, 2)


def test_the_same_bytes_come_in_once_and_copies_are_told(mine, store):
    shutil.copy(mine / "squat" / "bob.mp4", mine / "squat" / "zoe.mp4")
    write_scene(mine / "row" / "bob mirrored.mp4", 2, end_s=1.5, mirrored=True, crf=30)
    report = import_clips(mine, store)
    told = {(twin.name, twin.of, twin.kind) for twin in report.duplicates}
    assert told == {
        ("squat/zoe.mp4", "bob.mp4", cl.SAME_BYTES),
        ("squat/bob.mp4", "bob mirrored.mp4", cl.MIRRORED_COPY),
    }
    assert len(store.clips()) == 5
    ((pair),) = store.copies()
    names = {clip.sha256: clip.name for clip in store.clips()}
    assert (names[pair.clip], names[pair.of], pair.mirrored) == (
        "bob.mp4", "bob mirrored.mp4", True,
    )  # fmt: skip


def test_a_planted_copy_under_another_name_is_refused_on_the_other_side(mine, store):
    """R17: re-encoded, scaled and mirrored, of a "person" of its own."""
    write_scene(mine / "squat" / "zoe.mp4", 2, end_s=1.5, mirrored=True, scale=0.6, crf=30)
    import_clips(mine, store)
    clips = {clip.name: clip for clip in store.clips()}
    items = [item_of(clips[name]) for name in ("bob.mp4", "zoe.mp4")]
    copies = [(pair.clip, pair.of) for pair in store.copies()]
    names = {clip.sha256: clip.name for clip in store.clips()}
    with pytest.raises(LeakError, match=r"(bob|zoe)\.mp4 .*(bob|zoe)\.mp4 .* same recording"):
        check_split(items, ["train", "test"], copies=copies, names=names)
    assert len(set(split(items, copies=copies))) == 1


def test_what_cannot_be_read_is_listed_and_the_rest_comes_in(mine, store):
    (mine / "squat" / "empty.mp4").write_bytes(b"")
    (mine / "squat" / "text.mov").write_text("hello" * 100)
    whole = (mine / "row" / "ann.mp4").read_bytes()
    (mine / "squat" / "cut.mp4").write_bytes(whole[: len(whole) // 3])
    report = import_clips(mine, store)
    reasons = {file.name: file.reason for file in report.unreadable}
    assert set(reasons) >= {"squat/empty.mp4", "squat/text.mov"}
    assert "empty" in reasons["squat/empty.mp4"]
    assert len(report.added) + len(reasons) == 7
    assert not any(str(mine) in reason for reason in reasons.values())
