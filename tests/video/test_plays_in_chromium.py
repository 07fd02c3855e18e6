"""What is written plays and seeks in a real browser."""

import base64

import numpy as np
import pytest

from gymform.video.write import KEYINT, VideoWriter, transcode
from tests.corpus.clips import make_good, picture, read_number, steady

SHOW = """async ([source, times, longest]) => {
    const video = document.createElement('video');
    video.muted = true;
    video.src = source;
    document.body.append(video);
    await new Promise((ready, fail) => {
        video.oncanplaythrough = ready;
        video.onerror = () => fail(video.error.message);
    });
    const state = video.readyState;
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    const pen = canvas.getContext('2d'), seen = [];
    for (const time of times) {
        // "seeked" may come before the picture: wait for the one that is due to be presented
        await new Promise((done, fail) => {
            const due = (_, {mediaTime}) => mediaTime <= time && time < mediaTime + longest
                ? done() : video.requestVideoFrameCallback(due);
            setTimeout(() => fail('no picture for ' + time), 20000);
            video.requestVideoFrameCallback(due);
            video.currentTime = time;
        });
        pen.drawImage(video, 0, 0);
        seen.push(Array.from(pen.getImageData(0, 0, canvas.width, canvas.height).data));
    }
    return [state, video.videoWidth, video.videoHeight, video.duration, seen];
}"""


@pytest.fixture
def page(browser):
    page = browser.new_page()
    yield page
    page.close()


def shown(page, path, times, longest=1 / 30):
    """State, size, duration and the pictures' numbers at ``times``.

    No frame is shown for more than ``longest`` seconds.
    """

    source = "data:video/mp4;base64," + base64.b64encode(path.read_bytes()).decode()
    state, width, height, duration, pictures = page.evaluate(SHOW, [source, list(times), longest])
    frames = [np.array(data, np.uint8).reshape(height, width, 4)[..., :3] for data in pictures]
    return state, (width, height), duration, [read_number(frame) for frame in frames]


@pytest.mark.browser
def test_a_written_video_plays_and_seeks_to_the_frame(tmp_path, page):
    path, times = tmp_path / "out.mp4", steady(60)
    with VideoWriter(path, width=128, height=96, fps=30, keyint=KEYINT) as writer:
        for number, time_s in enumerate(times):
            writer.write(picture(number), time_s)
    asked = [0, 1, 11, 12, 13, 30, 59, 7]
    state, size, duration, numbers = shown(page, path, [(n + 0.5) / 30 for n in asked])
    assert state == 4
    assert size == (128, 96)
    assert duration == pytest.approx(2.0, abs=0.01)
    assert numbers == asked


@pytest.mark.browser
@pytest.mark.parametrize("name", ["hevc_rotated_90", "mpeg4_avi_b_frames", "uneven_webm"])
def test_transcoded_clips_play(tmp_path, page, name):
    transcode(make_good(name, tmp_path), tmp_path / "proxy.mp4")
    state, size, _, numbers = shown(page, tmp_path / "proxy.mp4", [0.01], longest=0.04)
    assert (state, size, numbers) == (4, (128, 96), [0])
