"""A training: killed and resumed it ends the same; it starts from a network of any width."""

from dataclasses import replace

import pytest
import torch

from gymform.errors import TrainingError
from gymform.training.pose import train
from gymform.training.pose.augment import Augmentation
from gymform.training.pose.initial_weights import fresh_network
from gymform.training.pose.packs import split
from tests.training.pose.makers import ONCE, RECIPE, TINY, batches_of, pooled, tiny_trainer


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_killed_and_resumed_is_as_if_never_killed(pack, tmp_path, optimizer):
    facts, recipe = {"seed": 0}, replace(RECIPE, optimizer=optimizer)
    whole, batches = tiny_trainer(recipe), batches_of(pack, how=Augmentation())
    train.train(whole, batches, tmp_path / "whole", facts, ONCE)

    killed = tiny_trainer(recipe)
    dying = train.Schedule(save_every=3, evaluate_every=4)
    with pytest.raises(KeyboardInterrupt):  # in step 4, after the state of step 3 was saved
        train.train(killed, batches, tmp_path / "cut", facts, dying, _die)
    again = tiny_trainer(recipe)
    train.train(again, batches, tmp_path / "cut", facts, ONCE)

    assert again.step == whole.step == 6
    for one, other in ((whole.network, again.network), (whole.mean, again.mean)):
        for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
            assert torch.equal(a, b)
    logs = [(tmp_path / name / train.LOG).read_text() for name in ("whole", "cut")]
    assert logs[0] == logs[1]
    assert len(logs[0].splitlines()) == 7


def _die(step):
    raise KeyboardInterrupt


def test_a_finished_training_is_not_trained_again(pack, tmp_path):
    train.train(tiny_trainer(), batches_of(pack), tmp_path, {}, ONCE)
    state = (tmp_path / train.STATE).read_bytes()
    again = tiny_trainer()
    train.train(again, batches_of(pack), tmp_path, {}, ONCE)
    assert again.step == 6
    assert (tmp_path / train.STATE).read_bytes() == state


def test_a_deadline_stops_after_the_step(pack, tmp_path):
    trainer = tiny_trainer()
    train.train(trainer, batches_of(pack), tmp_path, {}, train.Schedule(100, 0, deadline=0.0))
    assert trainer.step == 1
    assert (tmp_path / train.STATE).is_file()


def test_another_training_in_the_work_folder_is_refused(pack, tmp_path):
    train.train(tiny_trainer(), batches_of(pack), tmp_path, {"batch": 4}, ONCE)
    with pytest.raises(TrainingError, match=r"another batch \(4, now 8\)"):
        train.train(tiny_trainer(), batches_of(pack), tmp_path, {"batch": 8}, ONCE)


def test_a_log_line_cut_off_by_a_kill_is_removed(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("step,loss,rate,norm\n0,1,1,1\n1,1,1,1\n2,0.")
    train.Log(path, first_step=2)
    assert path.read_text().splitlines() == ["step,loss,rate,norm", "0,1,1,1", "1,1,1,1"]


def test_a_killed_training_finds_the_teacher_s_outputs_again(pack, tmp_path):
    whole, batches, _ = pooled(pack, tmp_path / "whole")
    train.train(whole, batches, tmp_path / "whole", {}, ONCE)
    killed, batches, _ = pooled(pack, tmp_path / "cut")
    dying = train.Schedule(save_every=10, evaluate_every=11)
    with pytest.raises(KeyboardInterrupt):
        train.train(killed, batches, tmp_path / "cut", {}, dying, _die)
    again, batches, teacher_runs = pooled(pack, tmp_path / "cut", new=False)
    train.train(again, batches, tmp_path / "cut", {}, ONCE)
    assert not teacher_runs  # all were cached before it was killed
    for a, b in zip(
        whole.network.state_dict().values(), again.network.state_dict().values(), strict=True
    ):
        assert torch.equal(a, b)


def test_a_wider_network_is_narrowed_to_start_from(pack, tmp_path, monkeypatch):
    config = replace(TINY, dim=16, heads=1)
    monkeypatch.setitem(train.SIZES, "Ti", config)
    wide = replace(TINY, padding=1.1, input_height=128)
    train.ship(fresh_network(wide, seed=0), "wide", tmp_path)
    shown = []

    def crops(config):
        shown.append(config)
        return train.some_crops(pack, split(pack)[0], 0, config)

    start = train.make_start(str(tmp_path / "wide.safetensors"), "Ti", 0, crops)
    assert start.network.config == replace(config, padding=1.1, input_height=128)
    assert shown == [wide]
    assert "`wide.safetensors`" in start.words
    assert "made narrow" in start.words
    assert torch.isfinite(start.network(torch.zeros(1, 3, 128, 96))).all()
