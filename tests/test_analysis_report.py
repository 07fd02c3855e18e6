"""The report: one file that holds everything, and no markup of a stranger's."""

from __future__ import annotations

import base64
import itertools
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from gymform.analysis_report import report, write_report
from gymform.video.write import VideoWriter
from tests import fakes

EVIL = "<script>alert(1)</script> \"'><img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """What a browser would find: tags with attributes, headings, words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(name="film", scope="module")
def _film(tmp_path_factory):
    path = tmp_path_factory.mktemp("film") / "proxy.mp4"
    with VideoWriter(path, width=360, height=480, fps=30) as writer:
        for frame in range(90):
            writer.write(np.full((480, 360, 3), 90, np.uint8), frame / 30)
    return path


def test_everything_is_inside(film):
    analysis = fakes.make_analysis()
    page = Page(report(analysis, film, name="my squat.mp4"))
    (video,) = page.all("video")
    assert base64.b64decode(video["src"].partition(",")[2]) == film.read_bytes()
    assert len(page.all("img")) == len(analysis.form.cues) + len(analysis.form.repetitions)
    assert all(one["src"].startswith("data:image/jpeg") and one["alt"] for one in page.all("img"))
    assert len(page.all("svg")) == 2
    for word in ("Squat, 1 repetition", "my squat.mp4", "Above parallel", "20° above level",
                 "vitpose-s", "c" * 64, "How to read this", "gymform "):  # fmt: skip
        assert word in page.words, word


def test_nothing_is_fetched_and_nothing_runs(film):
    """It works offline, and a mail program may show it."""
    text = report(fakes.make_analysis(), film)
    page = Page(text)
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "link", "iframe", "object", "form"})
    links = [value for _, attributes in page.tags for name, value in attributes.items()
             if name in ("src", "href") and value and not value.startswith("data:")]  # fmt: skip
    assert links == []
    assert not re.search(r"url\(|@import|https?://", text)


def test_headings_are_in_order_and_the_table_has_its_heads(film):
    page = Page(report(fakes.make_analysis(), film))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    assert all("scope" in one for one in page.all("th"))
    assert page.all("html")[0]["lang"] == "en"


def test_it_says_how_the_set_slows_down(film):
    assert "Speed of the set" not in report(fakes.make_analysis(), film)
    form = fakes.make_form(set_speed=fakes.make_set_speed())
    text = report(fakes.make_analysis(form=form), film)
    assert "Slower by 30 % in the last repetition than in the fastest" in text


def test_a_stranger_s_words_are_words(film):
    clip = fakes.make_clip(problems=(EVIL,))
    analysis = fakes.make_analysis(clip=clip, form=fakes.make_form(notes=(EVIL,)))
    page = Page(report(analysis, film, name=EVIL))
    assert not page.all("script")
    assert not [one for _, one in page.tags if "onerror" in one]
    assert page.words.count("<script>") >= 3


def test_a_clip_that_browsers_may_not_play_is_left_out(tmp_path, film):
    other = tmp_path / "clip.mov"
    other.write_bytes(film.read_bytes())
    page = Page(report(fakes.make_analysis(), other))
    assert not page.all("video")
    assert page.all("img")
    broken = tmp_path / "broken.mov"
    broken.write_bytes(b"no film")
    assert not Page(report(fakes.make_analysis(), broken)).all("img")


def test_it_is_written_whole(tmp_path, film):
    write_report(fakes.make_analysis(), film, tmp_path / "squat.report.html")
    assert (tmp_path / "squat.report.html").read_text().endswith("</html>\n")
    assert [one.name for one in tmp_path.iterdir()] == ["squat.report.html"]
