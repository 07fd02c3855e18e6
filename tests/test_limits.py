"""Limits: each says what it is, and none contradicts another or what it promises."""

import ast
from pathlib import Path

import pytest

from gymform import limits

NAMES = [name for name in vars(limits) if name.isupper()]


@pytest.mark.parametrize("name", NAMES)
def test_a_limit_is_a_positive_number_with_its_reason_below(name):
    assert getattr(limits, name) > 0
    body = ast.parse(Path(limits.__file__).read_text(encoding="utf-8")).body
    (at,) = (i for i, node in enumerate(body)
             if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name)  # fmt: skip
    reason = body[at + 1]
    assert isinstance(reason, ast.Expr)
    assert isinstance(ast.literal_eval(reason.value), str)


@pytest.mark.parametrize(
    ("width", "height", "passes"),
    [(3840, 2160, True), (4096, 2160, True), (1080, 1920, True), (7680, 4320, False)],
)
def test_4k_passes_and_8k_does_not(width, height, passes):
    fits = width * height <= limits.MAX_PIXELS and max(width, height) <= limits.MAX_SIDE
    assert fits == passes


def test_slow_motion_of_a_minute_passes():
    assert limits.MAX_FRAMES >= 60 * 240
    assert limits.MAX_SECONDS >= 60


def test_a_locked_phone_is_not_abandoned_and_a_hung_worker_not_waited_for_longer():
    """Ten minutes between two sets are long; a full queue of hung jobs must not take longer."""
    assert limits.ABANDONED_AFTER_S > 600
    assert limits.MAX_SILENT_S < limits.ABANDONED_AFTER_S


def test_a_recording_is_a_clip_that_can_be_analysed():
    assert limits.MAX_RECORDING_S < limits.MAX_SECONDS
    assert limits.MAX_RECORDING_BYTES < limits.MAX_UPLOAD_BYTES


def test_uploads_of_a_full_queue_are_all_kept():
    """One more is under analysis, and one is being stored."""
    waiting = limits.MAX_QUEUED_JOBS + 2
    assert waiting * limits.MAX_UPLOAD_BYTES <= limits.MAX_STORED_UPLOAD_BYTES
