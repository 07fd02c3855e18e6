"""Files that ask for far more memory or time than their size deserves.

:data:`GREEDY` maps a kind to a maker of its content from a random generator: the same kind, with
another seed, asks in another place or for another number. Aimed at what FFmpeg allocates from a
number in a header, before anybody can look.
"""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable
from functools import partial

from tests.corpus.bad import _chunk, _image, _riff, good_bytes, patched, u32

Content = Callable[[random.Random], bytes]

COUNTS = (
    0xFFFFFFFF, 0xFFFFFFFE, 0x80000000, 0x7FFFFFFF, 0x7FFFFFFE, 0x3FFFFFFF, 0x1FFFFFFF, 0x1FFFFFFE,
    0x15555554, 0x0FFFFFFE, 0x0AAAAAAA, 0x08000000, 0x07FFFFFF, 0x04000000, 0x02000000, 0x01000000,
)  # fmt: skip
"""Numbers that a header claims: near the largest ones, and near what FFmpeg's own checks let by."""

# --- ISO base media -----------------------------------------------------------------------------

STBL = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
TRAK = (b"moov", b"trak")
MOOV = (b"moov",)
ENTRY = (*STBL, b"stsd", b"avc1")
HEADS = {b"stsd": 8, b"avc1": 78, b"meta": 4}
"""Bytes of a container's own fields, before the boxes in it."""


def box(kind: bytes, body: bytes, size: int | None = None) -> bytes:
    """A box; ``size`` is what it claims, its real size by default."""
    return u32(8 + len(body) if size is None else size) + kind + body


def inserted(content: bytes, path: tuple[bytes, ...], new: bytes) -> bytes:
    """``content`` with the box ``new`` as the last one in the container at ``path``.

    All containers around it grow; without a path it goes to the end of the file.
    """
    if not path:
        return content + new
    start, end = 0, len(content)
    sizes = []
    for kind in path:
        start = content.index(kind, start, end) - 4
        end = start + int.from_bytes(content[start : start + 4], "big")
        sizes.append((start, end - start))
        start += 8 + HEADS.get(kind, 0)
    for at, size in sizes:
        content = content[:at] + u32(size + len(new)) + content[at + 4 :]
    return content[:end] + new + content[end:]


def renamed(content: bytes, kind: bytes) -> bytes:
    """``content`` whose first box of that kind FFmpeg skips, so that another takes its place."""
    return content.replace(kind, b"free", 1)


def meta(*boxes: bytes, handler: bytes = b"mdta") -> bytes:
    """A metadata box of that handler."""
    handler_box = box(b"hdlr", u32(0, 0) + handler + bytes(13))
    return box(b"meta", u32(0) + handler_box + b"".join(boxes))


def iso(rng: random.Random, path: tuple[bytes, ...], new: bytes) -> bytes:
    """A good clip with the box ``new``, now and then with another box after it."""
    tail = box(b"free", rng.randbytes(rng.randrange(40)))
    return inserted(good_bytes("h264_mp4"), path, new + rng.choice((b"", tail)))


def counted(
    kind: bytes, path: tuple[bytes, ...], before: bytes, entry: int, rng: random.Random
) -> bytes:
    """A box of ``kind`` that claims many entries of ``entry`` bytes and holds a few.

    ``before`` stands between its type and the count; the box that was there goes.
    """
    entries = rng.randbytes(entry * rng.randrange(4)) + bytes(entry)
    new = box(kind, before + u32(rng.choice(COUNTS)) + entries)
    content = good_bytes("h264_mp4")
    content = renamed(content, kind) if rng.random() < 0.7 else content
    return inserted(content, path, new)


def counted_meta(kind: bytes, before: bytes, entry: int, rng: random.Random) -> bytes:
    """The same in a metadata box, at one of the places where FFmpeg looks for it."""
    new = box(kind, before + u32(rng.choice(COUNTS)) + bytes(entry * rng.randrange(4)))
    handler = rng.choice((b"mdta", b"pict"))
    path = rng.choice(((), MOOV, TRAK))
    return iso(rng, path, meta(new, handler=handler))


def bare_meta(kind: bytes, before: bytes, rng: random.Random) -> bytes:
    """A file that is nothing but a header and one metadata box, of 100 bytes."""
    new = box(kind, before + u32(rng.choice(COUNTS)) + box(b"mdta", b"aaaa"))
    brand = rng.choice((b"isom", b"avis", b"mp41"))
    head = box(b"ftyp", brand + u32(512) + b"isommp41")
    return head + box(b"moov", meta(new, handler=rng.choice((b"mdta", b"pict"))))


def claims_size(kind: bytes, path: tuple[bytes, ...], rng: random.Random) -> bytes:
    """A box that claims to be large and holds little, and its containers with it."""
    size = rng.choice((0x7FFFFFF0, 0x40000000, 0x3FFFFFF0, 0x10000000, 0x0FFFFFF0, 0x08000000))
    content = inserted(good_bytes("h264_mp4"), path, box(kind, rng.randbytes(60), size))
    for container in path:
        at = content.index(container) - 4
        content = content[:at] + u32(size + 4096) + content[at + 4 :]
    return content


def edit_bomb(rng: random.Random) -> bytes:
    """Thousands of edits, each of which shows the whole track."""
    count = rng.randrange(20_000, 60_000)
    edits = u32(10_000, 0, 0x10000) * count
    new = box(b"edts", box(b"elst", u32(0, count) + edits))
    return inserted(renamed(good_bytes("h264_mp4"), b"edts"), TRAK, new)


def edits_of_many_samples(rng: random.Random) -> bytes:
    """A table of many samples, shown again and again by the edit list."""
    samples = rng.randrange(300_000, 900_000)
    content = renamed(good_bytes("h264_no_b_frames"), b"edts")
    content = patched(content, b"stsz", 4, u32(1, samples))
    content = patched(content, b"stts", 8, u32(samples))
    content = patched(content, b"stsc", 12, u32(samples))
    edits = u32(0x7FFFFFF, 0, 0x10000) * rng.randrange(20, 3000)
    new = box(b"edts", box(b"elst", u32(0, len(edits) // 12) + edits))
    return inserted(content, TRAK, new)


def run_lengths(kind: bytes, rng: random.Random) -> bytes:
    """A table of a thousand runs, each of them very long."""
    runs = b"".join(u32(rng.choice(COUNTS), rng.randrange(9)) for _ in range(1000))
    content = renamed(good_bytes("h264_mp4"), kind)
    return inserted(content, STBL, box(kind, u32(0, 1000) + runs))


def sample_group(rng: random.Random) -> bytes:
    """Groups of samples that reach over billions of them."""
    runs = u32(rng.choice(COUNTS), 1) * 500
    grouping = rng.choice((b"rap ", b"sync", b"roll"))
    new = box(b"sbgp", u32(0) + grouping + u32(500) + runs)
    return iso(rng, STBL, new)


def many_tracks(rng: random.Random) -> bytes:
    """As many tracks as the file has room for, each of eight bytes."""
    return iso(rng, MOOV, box(b"trak", b"") * rng.randrange(20_000, 100_000))


def many_entries(rng: random.Random) -> bytes:
    """Sample descriptions by the thousand, each with its own extradata."""
    content = good_bytes("h264_mp4")
    start = content.index(b"avc1") - 4
    size = int.from_bytes(content[start : start + 4], "big")
    entry, count = content[start : start + size], rng.randrange(1000, 5000)
    content = patched(content, b"stsd", 4, u32(count))
    return inserted(content, (*STBL, b"stsd"), entry * (count - 1))


def nested(kind: bytes, rng: random.Random) -> bytes:
    """Containers within containers, far deeper than any clip has."""
    depth = rng.randrange(1000, 20_000)
    body = b""
    return iso(rng, MOOV, b"".join(u32(8 * (depth - i)) + kind for i in range(depth)) + body)


def many_fragments(rng: random.Random) -> bytes:
    """Tens of thousands of empty fragments, each with a few runs."""
    header = box(b"mfhd", u32(0, 1))
    run = box(b"trun", u32(0x301, rng.choice((0, 1, 50)), 0))
    track = box(b"traf", box(b"tfhd", u32(0x020000, 1)) + run * rng.randrange(1, 5))
    return good_bytes("fragmented") + box(b"moof", header + track) * rng.randrange(5000, 20_000)


def fragment_index(rng: random.Random) -> bytes:
    """A segment index whose entries the file has no room for, or many of them that it has."""
    count = rng.randrange(1000, 65_535)
    fields = u32(0, 1, 90_000, 0, 0) + struct.pack(">HH", 0, count)
    entries = u32(1000, 1000, 0x90000000) * rng.choice((3, count))
    return (
        box(b"ftyp", b"isom" + u32(512) + b"isom")
        + box(b"sidx", fields + entries)
        + good_bytes("fragmented")
    )


def long_text(rng: random.Random) -> bytes:
    """A title that claims to be long, in a list of metadata."""
    size = rng.choice((0x7FFFFFF0, 0x40000000, 0x10000000))
    data = box(b"data", u32(1, 0) + b"hello", size)
    entry = box(rng.choice((b"\xa9nam", b"covr", b"gnre", b"----")), data, size + 8)
    return iso(rng, MOOV, box(b"udta", meta(box(b"ilst", entry, size + 16), handler=b"mdir")))


def cenc_box(kind: bytes, rng: random.Random) -> bytes:
    """Encryption data of samples that do not exist."""
    count = rng.choice(COUNTS)
    bodies = {
        b"senc": u32(rng.choice((0, 2)), count) + bytes(16),
        b"saiz": u32(0) + bytes([rng.choice((0, 8))]) + u32(count) + bytes(8),
        b"saio": u32(0, count) + bytes(8),
        b"pssh": u32(0x01000000) + bytes(16) + u32(count) + bytes(32),
    }
    return iso(rng, rng.choice((STBL, TRAK, MOOV)), box(kind, bodies[kind]))


def parameter_sets(rng: random.Random) -> bytes:
    """Decoder settings that announce more parameter sets than they hold."""
    content = good_bytes("h264_mp4")
    at = content.index(b"avcC") + 4
    noise = bytes([1, 100, 0, 40, 0xFF, 0xE0 | rng.randrange(32)]) + b"\xff\xff"
    return content[:at] + noise + content[at + len(noise) :]


def claimed_picture(rng: random.Random) -> bytes:
    """The header and the JPEG pictures claim to be tens of thousands of pixels wide."""
    size = struct.pack(">HH", rng.randrange(6000, 65_500), rng.randrange(6000, 65_500))
    marker = b"\xff\xc0\x00\x11\x08"
    first, *parts = good_bytes("mjpeg_mov").split(marker)
    return first + b"".join(marker + size + part[4:] for part in parts)


def jpeg_scans(rng: random.Random) -> bytes:
    """A picture of the largest size that is accepted, in many scans that hold nothing."""
    size = struct.pack(">HH", 2304, 4096)
    marker = b"\xff\xc0\x00\x11\x08"
    first, *parts = good_bytes("mjpeg_mov").split(marker)
    content = first + b"".join(marker + size + part[4:] for part in parts)
    return content.replace(b"\xff\xc0", b"\xff\xc2") if rng.random() < 0.5 else content


def chunk_table(kind: bytes, entry: int, rng: random.Random) -> bytes:
    """A million chunk offsets, all the same, and a sample table to go with them."""
    count = rng.randrange(100_000, 400_000)
    offsets = (u32(48) if entry == 4 else bytes(7) + b"\x30") * count
    content = good_bytes("h264_no_b_frames")
    content = patched(content, b"stsz", 4, u32(1, count))
    content = patched(content, b"stts", 8, u32(count))
    content = renamed(content, b"stco")
    return inserted(content, STBL, box(kind, u32(0, count) + offsets))


ISO: dict[str, Content] = {
    **{
        f"iso_{kind.decode()}": partial(counted, kind, STBL, u32(0), entry)
        for kind, entry in (
            (b"stsd", 86), (b"stts", 8), (b"ctts", 8), (b"stsc", 12), (b"stco", 4), (b"co64", 8),
            (b"stss", 4), (b"stps", 4), (b"sdtp", 1), (b"subs", 8),
        )
    },
    "iso_stsz": partial(counted, b"stsz", STBL, u32(0, 0), 4),
    "iso_stsz_equal": partial(counted, b"stsz", STBL, u32(0, 1), 4),
    "iso_stz2": partial(counted, b"stz2", STBL, u32(0, 4), 1),
    "iso_sbgp": partial(counted, b"sbgp", STBL, u32(0) + b"rap ", 8),
    "iso_sgpd": partial(counted, b"sgpd", STBL, u32(0x01000000) + b"sync" + u32(1), 1),
    "iso_elst": partial(counted, b"elst", (*TRAK, b"edts"), u32(0), 12),
    "iso_elst_64": partial(counted, b"elst", (*TRAK, b"edts"), u32(0x01000000), 20),
    "iso_dref": partial(counted, b"dref", STBL[:4], u32(0), 12),
    "iso_trun": lambda rng: good_bytes("fragmented")
    + box(b"moof", box(b"traf", box(b"tfhd", u32(0, 1))
                       + box(b"trun", u32(0, rng.choice(COUNTS))))),
    "iso_tfra": lambda rng: good_bytes("fragmented")
    + box(b"mfra", box(b"tfra", u32(0, 1, 0x3F, rng.choice(COUNTS)) + bytes(50))
          + box(b"mfro", u32(0, 98))),
    "iso_keys": partial(counted_meta, b"keys", u32(0), 12),
    "iso_keys_bare": partial(bare_meta, b"keys", u32(0)),
    "iso_iinf": partial(counted_meta, b"iinf", u32(0x01000000), 20),
    "iso_iinf_bare": partial(bare_meta, b"iinf", u32(0x01000000)),
    "iso_iloc": partial(counted_meta, b"iloc", u32(0x02000000) + b"\x44\x40", 18),
    "iso_iloc_bare": partial(bare_meta, b"iloc", u32(0x02000000) + b"\x44\x40"),
    "iso_iref": partial(counted_meta, b"iref", u32(0), 14),
    "iso_ipma": partial(counted_meta, b"ipma", u32(0), 4),
    "iso_iprp": lambda rng: iso(rng, MOOV, meta(
        box(b"iprp", box(b"ipco", box(b"hvcC", rng.randbytes(22) + b"\xff" * 9))
            + box(b"ipma", u32(0, rng.choice(COUNTS)) + bytes(8))), handler=b"pict")),
    "iso_chpl": lambda rng: iso(rng, MOOV, box(b"udta", box(
        b"chpl", u32(0x01000000, 0) + b"\xff" + (bytes(8) + b"\xff") * rng.randrange(4)))),
    **{f"iso_{kind.decode()}": partial(cenc_box, kind)
       for kind in (b"senc", b"saiz", b"saio", b"pssh")},
    **{
        f"iso_size_{name}": partial(claims_size, kind, path)
        for name, kind, path in (
            ("avcC", b"avcC", ENTRY), ("glbl", b"glbl", ENTRY), ("esds", b"esds", ENTRY),
            ("colr", b"colr", ENTRY), ("fiel", b"fiel", ENTRY), ("jp2h", b"jp2h", ENTRY),
            ("dvcC", b"dvcC", ENTRY), ("uuid", b"uuid", MOOV), ("udta", b"\xa9nam", (*MOOV,)),
            ("hdlr", b"hdlr", TRAK), ("cmov", b"dcom", MOOV), ("stsd", b"mp4v", (*STBL, b"stsd")),
        )
    },
    "iso_many_edits": edit_bomb,
    "iso_edits_of_many_samples": edits_of_many_samples,
    "iso_long_runs_stts": partial(run_lengths, b"stts"),
    "iso_long_runs_ctts": partial(run_lengths, b"ctts"),
    "iso_long_runs_stsc": partial(run_lengths, b"stsc"),
    "iso_sample_groups": sample_group,
    "iso_many_tracks": many_tracks,
    "iso_many_descriptions": many_entries,
    "iso_many_chunks": partial(chunk_table, b"stco", 4),
    "iso_many_chunks_64": partial(chunk_table, b"co64", 8),
    "iso_nested_moov": partial(nested, b"moov"),
    "iso_nested_udta": partial(nested, b"udta"),
    "iso_many_fragments": many_fragments,
    "iso_segment_index": fragment_index,
    "iso_long_text": long_text,
    "iso_parameter_sets": parameter_sets,
    "iso_claimed_picture": claimed_picture,
    "iso_jpeg_scans": jpeg_scans,
}  # fmt: skip


# --- Matroska -----------------------------------------------------------------------------------


def element(number: str, body: bytes, size: int | None = None) -> bytes:
    """An EBML element with the ID ``number`` (hexadecimal); ``size`` is what it claims."""
    claimed = len(body) if size is None else size
    return bytes.fromhex(number) + struct.pack(">Q", claimed | 1 << 56) + body


def number(value: int) -> bytes:
    return value.to_bytes(8, "big").lstrip(b"\0") or b"\0"


def video_track(*more: bytes, codec: bytes = b"V_VP8", index: int = 1) -> bytes:
    """The entry of a video track of 64 x 64 px."""
    size = element("b0", number(64)) + element("ba", number(64))
    return element(
        "ae",
        element("d7", number(index)) + element("73c5", number(index)) + element("83", b"\1")
        + element("86", codec) + element("e0", size) + b"".join(more),
    )  # fmt: skip


def matroska(*parts: bytes, size: int | None = None) -> bytes:
    """A file of these parts of a segment."""
    head = element("1a45dfa3", element("4282", b"matroska") + element("4287", b"\4"))
    info = element("1549a966", element("2ad7b1", number(1_000_000)))
    return head + element("18538067", info + b"".join(parts), size)


def tracks(*entries: bytes) -> bytes:
    return element("1654ae6b", b"".join(entries or (video_track(),)))


def cluster(*blocks: bytes) -> bytes:
    return element("1f43b675", element("e7", b"\0") + b"".join(blocks))


def simple_block(data: bytes, flags: int = 0x80, size: int | None = None) -> bytes:
    return element("a3", b"\x81\0\0" + bytes([flags]) + data, size)


def claims(number: str, rng: random.Random) -> bytes:
    """An element that claims hundreds of megabytes, where a track or the segment has it."""
    size = rng.choice((2**28, 2**28 - 1, 2**27, 2**24 - 1, 2**30, 2**31 - 1, 2**40))
    large = element(number, rng.randbytes(50), size)
    inside = matroska(tracks(video_track(large)), cluster(simple_block(bytes(50))))
    beside = matroska(tracks(), large, cluster(simple_block(bytes(50))), size=2**41)
    return rng.choice((inside, beside))


def lacing(kind: int, rng: random.Random) -> bytes:
    """A block of 256 laced frames whose sizes do not add up."""
    sizes = rng.randbytes(rng.randrange(300))
    bodies = {1: b"\xff" * 200 + sizes, 2: bytes(100), 3: b"\x01\xff\xff\xff\xff\xff\xff\xff" * 9}
    block = simple_block(b"\xff" + bodies[kind] + sizes, flags=0x80 | kind << 1)
    return matroska(tracks(), cluster(*[block] * rng.randrange(1, 2000)))


def compressed(rng: random.Random) -> bytes:
    """Blocks that unpack to hundreds of megabytes, were they unpacked."""
    algorithm = rng.choice((0, 0, 1, 2))
    encoding = element("6d80", element("6240", element("5034", element("4254", number(algorithm)))))
    bomb = zlib.compress(bytes(rng.choice((9_000_000, 40_000_000))), 9)
    return matroska(
        tracks(video_track(encoding)), cluster(*[simple_block(bomb)] * rng.randrange(1, 40))
    )


def stripped_header(rng: random.Random) -> bytes:
    """A compression that puts the same long beginning before each block."""
    settings = element("4254", b"\3") + element("4255", rng.randbytes(200_000))
    encoding = element("6d80", element("6240", element("5034", settings)))
    return matroska(
        tracks(video_track(encoding)), cluster(*[simple_block(b"x")] * rng.randrange(500, 20_000))
    )


def cues(rng: random.Random) -> bytes:
    """An index of tens of thousands of entries for a file of one frame."""
    position = element("b7", element("f7", b"\1") + element("f1", number(rng.randrange(1 << 40))))
    points = [
        element("bb", element("b3", number(i * rng.choice((1, 1000)))) + position)
        for i in range(rng.randrange(5000, 20_000))
    ]
    return matroska(
        tracks(), cluster(simple_block(bytes(50))), element("1c53bb6b", b"".join(points))
    )


def seek_heads(rng: random.Random) -> bytes:
    """Pointers to pointers, to themselves and past the end."""
    entries = b"".join(
        element("4dbb", element("53ab", bytes.fromhex(rng.choice(("114d9b74", "1c53bb6b"))))
                + element("53ac", number(rng.choice((0, 40, 2**40)))))
        for _ in range(rng.randrange(10, 5000))
    )  # fmt: skip
    return matroska(element("114d9b74", entries), tracks(), cluster(simple_block(bytes(9))))


def matroska_tracks(rng: random.Random) -> bytes:
    """Thousands of tracks."""
    entries = [video_track(index=i) for i in range(1, rng.randrange(2000, 10_000))]
    return matroska(tracks(*entries), cluster(simple_block(bytes(9))))


def many_of(number: str, body: bytes, rng: random.Random) -> bytes:
    """A hundred thousand small elements of a kind of which FFmpeg keeps a list."""
    return matroska(tracks(), body * rng.randrange(20_000, 100_000), cluster(simple_block(b"\0")))


def deep_tags(rng: random.Random) -> bytes:
    """Tags within tags."""
    tag = b""
    for _ in range(rng.randrange(50, 400)):
        tag = element("67c8", element("45a3", b"name") + tag)
    return matroska(tracks(), element("1254c367", element("7373", tag)))


MATROSKA: dict[str, Content] = {
    **{
        f"mkv_{name}": partial(claims, number)
        for name, number in (
            ("codec_private", "63a2"), ("codec_id", "86"), ("name", "536e"), ("void", "ec"),
            ("attachment", "465c"), ("block", "a3"), ("block_group", "a0"), ("cues", "1c53bb6b"),
            ("tags", "1254c367"), ("chapters", "1043a770"), ("cluster", "1f43b675"),
            ("projection", "7672"), ("unknown", "4444"),
        )
    },
    "mkv_lacing_xiph": partial(lacing, 1),
    "mkv_lacing_fixed": partial(lacing, 2),
    "mkv_lacing_ebml": partial(lacing, 3),
    "mkv_compressed": compressed,
    "mkv_stripped_header": stripped_header,
    "mkv_many_cues": cues,
    "mkv_seek_heads": seek_heads,
    "mkv_many_tracks": matroska_tracks,
    "mkv_many_attachments": partial(
        many_of, "", element("1941a469", element("61a7", element("466e", b"a")
                                                 + element("465c", b"a")))),
    "mkv_many_chapters": partial(
        many_of, "", element("1043a770", element("45b9", element("b6", element("91", b"\1"))))),
    "mkv_many_tags": partial(
        many_of, "", element("1254c367", element("7373", element("67c8", element("45a3", b"a"))))),
    "mkv_many_blocks": lambda rng: matroska(
        tracks(), cluster(*[simple_block(b"\0")] * rng.randrange(20_000, 100_000))),
    "mkv_deep_tags": deep_tags,
    "mkv_claimed_picture": lambda rng: matroska(
        tracks(video_track(element("e0", element("b0", number(rng.randrange(9000, 2**31)))
                                   + element("ba", number(rng.randrange(9000, 2**31)))))),
        cluster(simple_block(bytes(90)))),
}  # fmt: skip


# --- AVI ----------------------------------------------------------------------------------------


def chunk(kind: bytes, body: bytes, size: int | None = None) -> bytes:
    """A chunk; ``size`` is what it claims."""
    made = _chunk(kind, body)
    return made if size is None else kind + struct.pack("<I", size) + made[8:]


def avi_stream(kind: bytes = b"vids", more: bytes = b"", format_size: int | None = None) -> bytes:
    """The header of one stream of 64 x 64 px."""
    header = struct.pack("<4s4sI2H8I4h", kind, b"MJPG", 0, 0, 0, 0, 1, 25, 0, 99, 0, 0, 0, *[0] * 4)
    bitmap = struct.pack("<IiiHH4sIiiII", 40, 64, 64, 1, 24, b"MJPG", 64 * 64 * 3, 0, 0, 0, 0)
    strf = chunk(b"strf", bitmap, format_size)
    return _chunk(b"LIST", b"strl" + _chunk(b"strh", header) + strf + more)


def avi(*streams: bytes, movi: bytes | None = None, after: bytes = b"", info: bytes = b"") -> bytes:
    """An AVI of these streams; one JPEG is its content by default."""
    header = struct.pack("<14I", 40_000, 0, 0, 0x10, 99, 0, len(streams), 0, 64, 64, 0, 0, 0, 0)
    pictures = chunk(b"00dc", _image("mjpeg", "yuvj420p")) if movi is None else movi
    return _riff(
        b"AVI ",
        _chunk(b"LIST", b"hdrl" + _chunk(b"avih", header) + b"".join(streams or (avi_stream(),))),
        info,
        _chunk(b"LIST", b"movi" + pictures),
        after,
    )


def large(rng: random.Random) -> int:
    return rng.choice((0x7FFFFFFE, 0x7FFFFFF0, 0x3FFFFFFE, 0x20000000, 0x10000000, 0xFFFFFFFE))


def old_index(rng: random.Random) -> bytes:
    """An index of more frames than there are, or one that claims to be huge."""
    entry = b"00dc" + struct.pack("<III", 0x10, rng.choice((4, 400, 0x7FFFFFFF)), 100)
    if rng.random() < 0.5:
        return avi(after=chunk(b"idx1", entry * 5, large(rng)))
    return avi(after=chunk(b"idx1", entry * rng.randrange(20_000, 200_000)))


def open_dml(rng: random.Random) -> bytes:
    """Indexes of indexes, which point at themselves, past the end, or claim many entries."""
    entry = struct.pack("<QII", rng.choice((0, 12, 400, 2**40)), 400, rng.choice((1, 2**31)))
    super_index = struct.pack("<HBBI4s3I", 4, 0, 0, rng.choice(COUNTS), b"00dc", 0, 0, 0)
    return avi(avi_stream(more=_chunk(b"indx", super_index + entry * rng.randrange(1, 2000))))


def standard_index(rng: random.Random) -> bytes:
    """A standard index in the header that claims many entries."""
    index = struct.pack("<HBBI4sQI", 2, 0, 1, rng.choice(COUNTS), b"00dc", 0, 0)
    return avi(avi_stream(more=_chunk(b"indx", index + bytes(8) * rng.randrange(1, 9000))))


AVI: dict[str, Content] = {
    "avi_old_index": old_index,
    "avi_open_dml": open_dml,
    "avi_standard_index": standard_index,
    "avi_format": lambda rng: avi(avi_stream(format_size=large(rng))),
    "avi_extradata": lambda rng: avi(avi_stream(more=chunk(b"strd", bytes(40), large(rng)))),
    "avi_name": lambda rng: avi(avi_stream(more=chunk(b"strn", b"name", large(rng)))),
    "avi_info": lambda rng: avi(info=_chunk(b"LIST", b"INFO" + chunk(b"INAM", b"n", large(rng)))),
    "avi_packet": lambda rng: avi(movi=chunk(b"00dc", bytes(50), large(rng))),
    "avi_list": lambda rng: avi(movi=chunk(b"LIST", b"rec " + bytes(50), large(rng)) * 50),
    "avi_many_streams": lambda rng: avi(*[avi_stream()] * rng.randrange(500, 3000)),
    "avi_many_packets": lambda rng: avi(movi=chunk(b"00dc", b"") * rng.randrange(9000, 90_000)),
    "avi_palette": lambda rng: avi(movi=chunk(b"00pc", rng.randbytes(4)) * 9000),
    "avi_subtitle": lambda rng: avi(
        avi_stream(), avi_stream(b"txts"),
        movi=chunk(b"01tx", b"GAB2\0" + struct.pack("<HI", 2, large(rng)) + bytes(60), large(rng))),
    "avi_rate": lambda rng: good_bytes("mpeg4_avi").replace(
        struct.pack("<II", 1, 30), struct.pack("<II", rng.choice((0, 1)), rng.choice(COUNTS))),
    "avi_sound": lambda rng: avi(avi_stream(), avi_stream(b"auds", format_size=large(rng))),
}  # fmt: skip


# --- others -------------------------------------------------------------------------------------


def transport_stream(rng: random.Random) -> bytes:
    """Packets of an MPEG transport stream: tables of programmes that announce all identifiers."""
    packet = b"\x47\x40\x00\x10\x00\x00\xb0\xff" + rng.randbytes(180)
    return packet * rng.randrange(10, 2000)


def all_streams(rng: random.Random) -> bytes:
    """A transport stream whose programme has a thousand films, each of which sends a little."""
    size = rng.choice((188, 192))
    pids = range(256, 256 + rng.randrange(100, 1000))
    head = bytes(size - 188)

    def packet(pid: int, body: bytes, start: bool = True) -> bytes:
        return head + struct.pack(">BHB", 0x47, start << 14 | pid, 0x10) + body.ljust(184, b"\xff")

    def table(kind: int, body: bytes) -> bytes:
        section = struct.pack(">BHHBBB", kind, 0xB000 | len(body) + 9, 1, 0xC1, 0, 0) + body
        crc = 0xFFFFFFFF
        for byte in section:
            crc ^= byte << 24
            for _ in range(8):
                crc = (crc << 1 ^ 0x04C11DB7 if crc >> 31 else crc << 1) & 0xFFFFFFFF
        return section + u32(crc)

    films = b"".join(struct.pack(">BHH", 0x1B, 0xE000 | pid, 0xF000) for pid in pids)[:1000]
    section = b"\0" + table(2, struct.pack(">HH", 0xE100, 0xF000) + films)
    packets = packet(0, b"\0" + table(0, struct.pack(">HH", 1, 0xE020)))
    packets += b"".join(
        packet(32, section[at : at + 184], at == 0) for at in range(0, len(section), 184)
    )
    one = b"\0\0\1\xe0\0\0\x80\x80\x05!\0\1\0\1\0\0\0\1\x67" + rng.randbytes(100)
    return packets + b"".join(packet(pid, one) for pid in pids) * rng.randrange(1, 20)


# --- animations ---------------------------------------------------------------------------------


def gif(rng: random.Random, canvas: tuple[int, int], place: tuple[int, int], codes: bytes) -> bytes:
    """A GIF with that canvas and pictures of the size ``place``, all of the same LZW codes."""
    head = b"GIF89a" + struct.pack("<HHBBB", *canvas, 0x80, 0, 0) + bytes(3) + b"\xff" * 3
    blocks = b"".join(
        bytes([len(codes[at : at + 255])]) + codes[at : at + 255]
        for at in range(0, len(codes), 255)
    )
    one = b"\x21\xf9\4\0\4\0\0\0" + b"\x2c" + struct.pack("<HHHHB", 0, 0, *place, 0)
    return head + (one + bytes([rng.choice((2, 8, 11))]) + blocks + b"\0") * 20 + b";"


def webp(rng: random.Random, canvas: tuple[int, int], place: tuple[int, int], body: bytes) -> bytes:
    """A WebP with that canvas and pictures that claim the size ``place``."""

    def sides(size: tuple[int, int]) -> bytes:
        return b"".join((side - 1).to_bytes(3, "little") for side in size)

    one = bytes(6) + sides(place) + b"\x28\0\0" + bytes([rng.randrange(4)]) + body
    head = _chunk(b"VP8X", b"\x12\0\0\0" + sides(canvas))
    return _riff(b"WEBP", head, _chunk(b"ANIM", bytes(6)), *[_chunk(b"ANMF", one)] * 20)


def lossless_picture(rng: random.Random, width: int, height: int) -> bytes:
    """A lossless picture that claims a size, of noise."""
    head = b"\x2f" + struct.pack("<I", width - 1 | height - 1 << 14 | 1 << 28)
    return _chunk(b"VP8L", head + rng.choice((bytes(200), rng.randbytes(20_000))))


def lossy_picture(rng: random.Random, width: int, height: int) -> bytes:
    """A lossy picture with transparency that claims a size, of noise."""
    key = (
        struct.pack("<I", 0x10 | 3000 << 5)[:3] + b"\x9d\1\x2a" + struct.pack("<HH", width, height)
    )
    alpha = _chunk(b"ALPH", bytes([rng.randrange(2)]) + rng.randbytes(3000))
    return alpha + _chunk(b"VP8 ", key + rng.randbytes(20_000))


LARGEST = (4096, 2304)

ANIMATIONS: dict[str, Content] = {
    "gif_canvas": lambda rng: gif(rng, (65_535, 65_535), (64, 64), rng.randbytes(300)),
    "gif_place": lambda rng: gif(rng, (64, 64), (65_535, 65_535), rng.randbytes(300)),
    "gif_largest": lambda rng: gif(rng, LARGEST, LARGEST, rng.randbytes(300)),
    "gif_noise": lambda rng: gif(rng, LARGEST, LARGEST, rng.randbytes(90_000)),
    "webp_canvas": lambda rng: webp(rng, (2**24, 2**24), (64, 64), lossless_picture(rng, 64, 64)),
    "webp_place": lambda rng: webp(rng, (64, 64), (2**24, 9), lossless_picture(rng, 64, 64)),
    "webp_hidden": lambda rng: webp(
        rng, (64, 64), (64, 64), lossless_picture(rng, 16_384, 16_384)),
    "webp_lossy_hidden": lambda rng: webp(
        rng, (64, 64), (64, 64), lossy_picture(rng, 16_383, 16_383)),
    "webp_largest": lambda rng: webp(rng, LARGEST, LARGEST, lossless_picture(rng, *LARGEST)),
    "webp_lossy_largest": lambda rng: webp(rng, LARGEST, LARGEST, lossy_picture(rng, *LARGEST)),
    "webp_many": lambda rng: webp(rng, (64, 64), (64, 64), b"ANMF" * 9) * 1000,
    "webp_nested": lambda rng: webp(rng, (64, 64), (64, 64), webp(rng, (9, 9), (9, 9), b"")),
}  # fmt: skip


OTHERS: dict[str, Content] = {
    "ts": transport_stream,
    "ts_many_streams": all_streams,
    "ts_in_mp4": lambda rng: box(b"ftyp", b"isom" + u32(512)) + transport_stream(rng),
    "ts_in_matroska": lambda rng: matroska(tracks(), transport_stream(rng)),
    "mp4_in_avi": lambda rng: _riff(b"AVI ", good_bytes("h264_mp4"), rng.randbytes(50)),
    "head_and_noise_mp4": lambda rng: box(b"ftyp", b"isom" + u32(512)) + rng.randbytes(90_000),
    "head_and_noise_mkv": lambda rng: matroska(rng.randbytes(90_000)),
    "head_and_noise_avi": lambda rng: _riff(b"AVI ", rng.randbytes(90_000)),
    "zeros_mp4": lambda rng: box(b"moov", bytes(rng.randrange(10**5, 10**7))),
    "sparse_media": lambda rng: box(b"mdat", b"", 1) + struct.pack(">Q", 2**62) + bytes(99),
}

GREEDY: dict[str, Content] = {**ISO, **MATROSKA, **AVI, **ANIMATIONS, **OTHERS}
"""Kind -> maker of such a file's content from a random generator."""


def greedy_file(kind: str, seed: int) -> bytes:
    """The content of a file of that kind; equal for equal seeds."""
    return GREEDY[kind](random.Random(f"{kind} {seed}"))
