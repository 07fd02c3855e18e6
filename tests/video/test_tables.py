"""Sample tables are added up before FFmpeg turns them into memory."""

import itertools
import struct

import numpy as np
import pytest

from gymform import limits
from gymform.errors import DamagedVideoError, TooLongError
from gymform.video.read import probe, read_frames
from gymform.video.tables import check_tables, retimed_tracks
from tests.corpus.bad import BAD, good_bytes, patched, u32
from tests.corpus.clips import GOOD, read_number
from tests.corpus.greedy import MOOV, STBL, TRAK, box, greedy_file, inserted, meta, renamed


def check(folder, content: bytes) -> bool:
    path = folder / "clip.mp4"
    path.write_bytes(content)
    return check_tables(path)


@pytest.mark.parametrize(
    "name", [name for name, recipe in GOOD.items() if recipe.suffix in {".mp4", ".mov"}]
)
def test_real_tables_pass(tmp_path, name):
    assert check(tmp_path, good_bytes(name)) is True


@pytest.mark.parametrize("name", ["sample_bomb", "fragment_bomb", "misplaced_bomb"])
def test_bombs_are_refused(tmp_path, name):
    with pytest.raises(TooLongError, match="50,000,000"):
        check_tables(BAD[name].make(tmp_path))


@pytest.mark.parametrize("box", [b"stsz", b"stz2"])
def test_the_cap_of_samples_holds_exactly(tmp_path, box):
    content = good_bytes("h264_mp4").replace(b"stsz", box)
    assert check(tmp_path, patched(content, box, 8, u32(limits.MAX_SAMPLES)))
    with pytest.raises(TooLongError):
        check(tmp_path, patched(content, box, 8, u32(limits.MAX_SAMPLES + 1)))


def test_fragments_are_added_up(tmp_path):
    half = limits.MAX_SAMPLES // 2 + 1
    content = patched(good_bytes("fragmented"), b"trun", 4, u32(half))
    assert check(tmp_path, content)
    start = content.index(b"moof") - 4
    with pytest.raises(TooLongError):
        check(tmp_path, content + content[start:])


def test_two_minutes_of_plain_sound_pass_but_only_as_sound(tmp_path):
    samples = 120 * 96_000
    content = good_bytes("with_pcm_mov")
    at = content.rindex(b"stsz")
    content = content[: at + 12] + u32(samples) + content[at + 16 :]
    at = content.rindex(b"stts")
    content = content[: at + 12] + u32(samples) + content[at + 16 :]
    assert check(tmp_path, content)
    with pytest.raises(TooLongError):
        check(tmp_path, content.replace(b"soun", b"vide"))


def test_compressed_headers_are_refused(tmp_path):
    with pytest.raises(DamagedVideoError, match="compressed header"):
        check_tables(BAD["compressed_header"].make(tmp_path))


def test_a_chain_of_boxes_that_passes_the_end_is_not_whole(tmp_path):
    content = good_bytes("moov_in_front")
    assert check(tmp_path, content[:-1]) is False
    assert check(tmp_path, content + b"\0\0\0\0free") is True


@pytest.mark.parametrize("size", [u32(0), u32(1) + b"mdat" + u32(0, 500)])
def test_media_data_of_open_or_long_size_is_skipped(tmp_path, size):
    noise = b"stsz" + u32(0, 1, 50_000_000)
    header = size if len(size) > 4 else size + b"mdat"
    assert check(tmp_path, good_bytes("moov_in_front") + (header + noise).ljust(500, b"\0"))


COUNTED = {
    **{kind: (STBL, u32(0), b"") for kind in (
        b"stsd", b"stts", b"ctts", b"stsc", b"stco", b"co64", b"stss", b"stps", b"saio", b"senc",
    )},
    b"elst": (MOOV, u32(0), b""),
    b"dref": (MOOV, u32(0), b""),
    b"sbgp": (STBL, u32(0) + b"rap ", b""),
    b"sgpd": (STBL, u32(0x01000000) + b"roll" + u32(2), b""),
    b"pssh": (MOOV, u32(0x01000000) + bytes(16), b""),
    b"tfra": ((), u32(0, 1, 0), b""),
    b"keys": ((), u32(0), b"mdta"),
    b"iinf": ((), u32(0x01000000), b"pict"),
    b"iloc": ((), u32(0x02000000) + b"DD", b"pict"),
    b"ipma": ((), u32(0), b"pict"),
}  # fmt: skip
"""Box -> where it lies, what stands before its count, and the handler of metadata around it."""


@pytest.mark.parametrize("kind", COUNTED)
def test_a_table_that_has_no_room_for_its_entries_is_refused(tmp_path, kind):
    path, before, handler = COUNTED[kind]

    def file(count: int) -> bytes:
        new = box(kind, before + u32(count) + bytes(40))
        new = meta(new, handler=handler) if handler else new
        return inserted(good_bytes("h264_mp4"), path, new)

    for count in (limits.MAX_SAMPLES + 1, 0x0FFFFFFE, 0xFFFFFFFF):
        with pytest.raises(DamagedVideoError, match=f"{count:,} entries"):
            check(tmp_path, file(count))
    assert check(tmp_path, file(2)) is True


def test_words_that_look_like_tables_are_only_words(tmp_path):
    comment = b"car keys, elst, iinf and stts: \xff\xff\xff\xff" * 3
    assert check(tmp_path, inserted(good_bytes("h264_mp4"), MOOV, box(b"udta", comment))) is True


@pytest.mark.parametrize("seed", range(3))
def test_many_edits_of_many_samples_are_refused(tmp_path, seed):
    with pytest.raises(DamagedVideoError, match="edits"):
        check(tmp_path, greedy_file("iso_edits_of_many_samples", seed))


# ---- edit lists with a speed -------------------------------------------------------------------

FRAMES = 40
"""Frames of the clip below, at 30 a second."""


def edited(*edits: tuple[float, float, float], name: str = "h264_b_frames", version=0) -> bytes:
    """A clip with these edits: seconds shown, second of the media that begins (-1: none), speed."""
    content = good_bytes(name)
    at = content.index(b"mvhd")
    (movie,) = struct.unpack(">I", content[at + 16 : at + 20])
    at = content.index(b"mdhd")
    (media,) = struct.unpack(">I", content[at + 16 : at + 20])
    at = content.index(b"elst")
    (delay,) = struct.unpack(">i", content[at + 16 : at + 20])  # of the first frame: B-frames
    entry = struct.Struct(">QqhH" if version else ">IihH")
    entries = b"".join(
        entry.pack(
            round(length * movie),
            -1 if start < 0 else round(start * media) + delay,
            int(speed // 1),
            round(speed % 1 * 65536),
        )
        for length, start, speed in edits
    )
    new = box(b"edts", box(b"elst", u32(version << 24, len(edits)) + entries))
    return inserted(renamed(content, b"edts"), TRAK, new)


def shown(folder, content: bytes) -> tuple[list[int], list[float], tuple[str, ...]]:
    """Numbers and seconds of the frames, and what was said; the probe must agree."""
    path = folder / "clip.mp4"
    path.write_bytes(content)
    clip = probe(path)
    with read_frames(path) as frames:
        numbers, times = zip(*((read_number(one.rgb), one.time_s) for one in frames), strict=True)
    assert clip.frames == len(numbers)
    assert clip.problems == frames.problems
    return list(numbers), list(times), clip.problems


SLOW = {
    "middle": ((0.4, 0, 1), (4, 0.4, 0.1), (0.6, 0.8, 1)),
    "an eighth": ((0.5, 0, 1), (4, 0.5, 0.125), (0.4, 1, 1)),
    "faster": ((0.4, 0, 1), (0.1, 0.4, 4), (0.6, 0.8, 1)),
    "whole": ((14, 0, 0.1),),
    "after a pause": ((1, -1, 1), (14, 0, 0.1)),
    "to the end": ((0.4, 0, 1), (0, 0.4, 0.5)),
    "again in slow motion": ((2, 0, 1), (4, 0.4, 0.1)),
    "standing": ((0.4, 0, 1), (2, 0.4, 0), (1, 0.4, 1)),
    "two speeds": ((0.8, 0, 0.5), (4, 0.4, 0.25)),
    "backwards": ((0.4, 0, 1), (0.4, 0.4, -1), (0.6, 0.8, 1)),
}


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("kind", SLOW)
def test_an_edit_list_with_a_speed_shows_each_picture_once_as_filmed(tmp_path, kind, version):
    edits = tuple((length, start, float(speed)) for length, start, speed in SLOW[kind])
    numbers, times, problems = shown(tmp_path, edited(*edits, version=version))
    assert numbers == list(range(FRAMES))
    assert times == pytest.approx(np.arange(FRAMES) / 30, abs=1e-3)
    assert len(problems) == 1
    assert "times its speed" in problems[0]


def test_what_no_edit_shows_stays_hidden(tmp_path):
    numbers, times, problems = shown(tmp_path, edited((4, 0.2, 0.1), (0.3, 0.8, 1.0)))
    assert numbers == [*range(6, 18), *range(24, 33)]
    assert times == pytest.approx([(number - 6) / 30 for number in numbers], abs=1e-3)
    assert "0.1 times" in problems[0]


@pytest.mark.parametrize(
    "edits",
    [
        ((2, 0, 1.0),),
        ((1, -1, 1.0), (2, 0, 1.0)),
        ((2, 0, 0.0),),  # a writer that leaves the field empty
        ((1, -1, 0.0), (2, 0, 1.0)),
    ],
)
def test_an_edit_list_without_speeds_is_left_to_ffmpeg(tmp_path, edits):
    numbers, _, problems = shown(tmp_path, edited(*edits))
    assert numbers == list(range(FRAMES))
    assert problems == ()


def test_retimed_tracks_are_told_by_their_id(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(edited((0.4, 0, 1.0), (4, 0.4, 0.1)))
    (track,) = retimed_tracks(path)
    assert track == 1
    path.write_bytes(good_bytes("with_aac"))
    assert retimed_tracks(path) == {}


@pytest.mark.parametrize("seed", range(3))
def test_broken_edit_lists_do_no_harm(tmp_path, seed):
    content = edited((0.4, 0, 1.0), (4, 0.4, 0.1), (0.6, 0.8, 1.0))
    at = content.index(b"elst")
    noise = np.random.default_rng(seed)
    for place, value in itertools.product(range(at - 12, at + 48, 4), (0, 0x7FFFFFFF, 0xFFFFFFFF)):
        broken = bytearray(content)
        broken[place : place + 4] = u32(value)
        broken[place + 4] = noise.integers(256)
        path = tmp_path / "clip.mp4"
        path.write_bytes(broken)
        for retiming in retimed_tracks(path).values():
            assert all(start < end for start, end in retiming.spans)
            assert all(one[1] < two[0] for one, two in itertools.pairwise(retiming.spans))
