"""Making test clips leaves the process as it was."""

import os

import pytest

from tests.corpus.clips import make_good


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="no schedulers to ask about")
def test_no_encoder_leaves_the_process_a_real_time_one(tmp_path):
    make_good("av1_mkv", tmp_path)
    assert os.sched_getscheduler(0) == os.SCHED_OTHER
