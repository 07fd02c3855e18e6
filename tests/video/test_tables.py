"""Sample tables are added up before FFmpeg turns them into memory."""

import pytest

from gymform import limits
from gymform.errors import DamagedVideoError, TooLongError
from gymform.video.tables import check_tables
from tests.corpus.bad import BAD, good_bytes, patched, u32
from tests.corpus.clips import GOOD
from tests.corpus.greedy import MOOV, STBL, box, greedy_file, inserted, meta


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
