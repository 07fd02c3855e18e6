"""The teacher's outputs on disk: what was written is read, by index, also by the next process."""

from dataclasses import replace

import pytest
import torch

from gymform.errors import TrainingError
from gymform.training.pose import train
from gymform.training.pose.teacher_cache import TeacherCache
from tests.training.pose.makers import TINY


def test_missing_teacher_outputs_are_an_error(tmp_path):
    with pytest.raises(TrainingError, match=r"answers\.npy.*another --work"):
        TeacherCache(tmp_path / train.TEACHER_OUTPUTS, 4, TINY, new=False)
    TeacherCache(tmp_path / train.TEACHER_OUTPUTS, 4, TINY, new=True).flush()
    with pytest.raises(TrainingError, match="outputs for 5 crops"):
        TeacherCache(tmp_path / train.TEACHER_OUTPUTS, 5, TINY, new=False)


OUTPUTS = {"features": (TINY.dim, *TINY.grid), "heatmaps": (17, *TINY.heatmap_size[::-1])}


def outputs(rows, seed=0):
    """Random features and heatmaps for so many rows."""
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.rand(rows, *shape, generator=generator) for shape in OUTPUTS.values())


def test_what_was_written_is_read_in_any_order(tmp_path):
    cache = TeacherCache(tmp_path / "made" / "outputs.npy", 5, TINY, new=True)
    features, heatmaps = outputs(3)
    cache.write(torch.tensor([4, 0, 2]), features, heatmaps)
    read = cache.read(torch.tensor([0, 2, 4, 0]))
    for got, written in zip(read, (features, heatmaps), strict=True):
        assert got.dtype == torch.float32
        torch.testing.assert_close(got, written[[1, 2, 0, 1]], atol=1e-3, rtol=0)  # float16


def test_a_row_written_again_changes_and_the_others_stay(tmp_path):
    cache = TeacherCache(tmp_path / "outputs.npy", 3, TINY, new=True)
    cache.write(torch.arange(3), *outputs(3))
    before = cache.read(torch.arange(3))[0]
    cache.write(torch.tensor([1]), *outputs(1, seed=1))
    after = cache.read(torch.arange(3))[0]
    assert ((after != before).flatten(1).any(1) == torch.tensor([False, True, False])).all()


def test_the_next_process_reads_what_was_flushed(tmp_path):
    first = TeacherCache(tmp_path / "outputs.npy", 4, TINY, new=True)
    first.write(torch.arange(4), *outputs(4))
    first.flush()
    again = TeacherCache(tmp_path / "outputs.npy", 4, TINY, new=False)
    assert torch.equal(again.read(torch.arange(4))[1], first.read(torch.arange(4))[1])
    TeacherCache(tmp_path / "outputs.npy", 4, TINY, new=True)  # a new training starts empty
    assert not again.read(torch.arange(4))[1].any()


def test_outputs_for_crops_of_another_size_are_refused(tmp_path):
    TeacherCache(tmp_path / "outputs.npy", 4, TINY, new=True).flush()
    with pytest.raises(TrainingError, match="of another shape"):
        TeacherCache(tmp_path / "outputs.npy", 4, replace(TINY, input_height=128), new=False)


def test_a_damaged_file_says_what_to_do(tmp_path):
    path = tmp_path / "outputs.npy"
    path.write_bytes(b"no array")
    with pytest.raises(TrainingError, match=r"outputs\.npy: .*another --work") as caught:
        TeacherCache(path, 4, TINY, new=False)
    assert str(tmp_path) not in str(caught.value)
