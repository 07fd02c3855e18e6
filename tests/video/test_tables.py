"""Sample tables are added up before FFmpeg turns them into memory."""

import pytest

from gymform import limits
from gymform.errors import DamagedVideoError, TooLongError
from gymform.video.tables import check_tables
from tests.corpus.bad import BAD, good_bytes, patched, u32
from tests.corpus.clips import GOOD


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
