"""Of several video streams the film is read: not a preview, a cover or a row of thumbnails."""

from dataclasses import dataclass
from fractions import Fraction

import av
import pytest
from av.stream import Disposition

from gymform.errors import TooLargeError
from gymform.video.read import probe, read_frames
from tests.corpus.clips import picture, read_number

MOVING = 12


@dataclass(frozen=True)
class Part:
    """A video stream of a file to be made."""

    size: tuple[int, int]
    frames: int = MOVING
    default: bool = False
    mark: int = 0
    encoder: str = "libx264"
    pix_fmt: str = "yuv420p"


SMALL, LARGE = (64, 48), (192, 144)
FILM = Part(LARGE)


def write(path, parts: list[Part]):
    with av.open(str(path), "w") as container:
        streams = []
        for part in parts:
            stream = container.add_stream(part.encoder, rate=30)
            stream.width, stream.height, stream.pix_fmt = *part.size, part.pix_fmt
            stream.codec_context.time_base = Fraction(1, 3000)
            stream.disposition = (Disposition.default if part.default else 0) | part.mark
            streams.append(stream)
        for part, stream in zip(parts, streams, strict=True):
            for number in range(part.frames):
                frame = av.VideoFrame.from_ndarray(picture(number, part.size), format="rgb24")
                frame = frame.reformat(format=part.pix_fmt)
                frame.pts, frame.time_base = number * 1200 // part.frames, Fraction(1, 3000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def read(path) -> tuple[tuple[int, int], tuple[str, ...]]:
    """Size of the film that is read in full, and what is said."""
    clip = probe(path)
    with read_frames(path) as frames:
        assert [read_number(frame.rgb) for frame in frames] == list(range(MOVING))
        assert frames.source_size == (clip.width, clip.height)
    assert frames.problems == clip.problems
    return (clip.width, clip.height), clip.problems


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".ts", ".avi"])
@pytest.mark.parametrize("film_first", [True, False])
def test_the_largest_film_is_read(tmp_path, suffix, film_first):
    parts = [FILM, Part(SMALL)] if film_first else [Part(SMALL), FILM]
    size, _ = read(write(tmp_path / f"clip{suffix}", parts))
    assert size == LARGE


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("film_first", [True, False])
def test_a_preview_marked_as_default_is_only_remarked(tmp_path, suffix, film_first):
    preview = Part(SMALL, default=True)
    parts = [FILM, preview] if film_first else [preview, FILM]
    size, problems = read(write(tmp_path / f"clip{suffix}", parts))
    assert size == LARGE
    (said,) = problems
    assert "192 x 144 px, is read, though one of 64 x 48 px is marked as the default" in said


def test_of_equal_films_the_default_is_read_without_a_remark(tmp_path):
    path = write(tmp_path / "clip.mkv", [Part(LARGE, frames=6), Part(LARGE, default=True)])
    assert read(path) == (LARGE, ())


@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_a_larger_picture_that_hardly_moves_is_no_film(tmp_path, suffix, frames):
    many = Part(LARGE, frames=30)
    path = write(tmp_path / f"clip{suffix}", [Part((256, 192), frames=frames), many])
    assert (probe(path).width, probe(path).frames) == (192, 30)


def test_a_cover_is_never_the_film(tmp_path):
    cover = Part((256, 192), frames=1, mark=Disposition.attached_pic, encoder="mjpeg",
                 pix_fmt="yuvj420p", default=True)  # fmt: skip
    assert read(write(tmp_path / "clip.mp4", [cover, FILM])) == (LARGE, ())


def test_a_larger_film_that_cannot_be_read_is_remarked(tmp_path):
    unread = Part((256, 192), encoder="ffv1")
    size, problems = read(write(tmp_path / "clip.mkv", [unread, FILM]))
    assert size == LARGE
    assert any("256 x 192 px, is compressed with ffv1" in problem for problem in problems)


def test_a_film_over_the_cap_is_refused_unless_there_is_another(tmp_path):
    huge = Part((8256, 32), frames=2)
    with pytest.raises(TooLargeError):
        probe(write(tmp_path / "huge.mp4", [huge, Part((8256, 16), frames=2)]))
    assert probe(write(tmp_path / "clip.mp4", [huge, FILM])).width == 192
