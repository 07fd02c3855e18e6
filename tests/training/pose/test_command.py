"""The command train-pose: it ships weights, manifest and card, and refuses what does not fit."""

import csv
from dataclasses import asdict, replace

import pytest
import torch

from gymform.errors import OptionsError
from gymform.pose.checkpoints import load_pose_model
from gymform.training.pose import command as cmd
from gymform.training.pose import train
from gymform.training.pose.initial_weights import fresh_network
from gymform.training.pose.packs import write_pack
from gymform.training.pose.trainer import Recipe
from gymform.weights import read_manifest
from tests.training.pose.makers import TINY, command


def test_the_command_ships_weights_manifest_and_card(pack, tmp_path, monkeypatch, tiny_sizes):
    write_pack(tmp_path / "pack.npz", replace(pack, note="Labels drawn by a program."))
    assert cmd.run(command(tmp_path)) == 0
    (entry,) = read_manifest(tmp_path / "weights").models
    assert read_manifest(tmp_path / "weights").default_pose == ""
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(tmp_path / "weights"))
    model = load_pose_model("tiny")
    assert replace(model.config, score_power=1.0) == TINY
    assert model.config.score_power != 1
    assert f"to the power of {model.config.score_power:g}" in (
        tmp_path / "weights" / "tiny.md"
    ).read_text().replace("\n", " ")
    assert model.sha256 == entry.sha256
    text = (tmp_path / "weights" / "tiny.md").read_text()
    for words in (entry.sha256, "COCO val2017", "| left wrist |", "**lspet**, 8 people",
                  "Labels drawn by a program.",
                  "train-pose --data PACK.npz --out weights --name tiny", "3 steps"):  # fmt: skip
        assert words in text
    assert str(tmp_path) not in text
    rows = list(csv.DictReader((tmp_path / "work" / train.LOG).open()))
    assert [row["step"] for row in rows] == ["0", "1", "2"]

    # from these weights on, with them as a teacher too
    more = ("--work", str(tmp_path / "again"), "--name", "next", "--init", "tiny",
            "--distill", "tiny", "--pool", "1", "--optimizer", "muon", "--padding", "1.1",
            "--hint", "0", "--input-height", "128", "--minutes", "0.0001")  # fmt: skip
    assert cmd.run(command(tmp_path, *more)) == 0
    text = (tmp_path / "weights" / "next.md").read_text()
    assert "Start: `tiny`" in text
    assert "Teacher: `tiny`" in text
    assert "on clean crops" in text
    assert "What `tiny` had learned from is part of it" in text
    assert (tmp_path / "again" / train.TEACHER_OUTPUTS).is_file()
    assert "1 steps of 3 planned" in text
    assert "optimizer muon" in text
    assert "hint 0.0," in text
    assert "--hint 0.0 " in text
    assert load_pose_model("next").config.padding == 1.1
    assert load_pose_model("next").config.input_height == 128
    assert "deviation; box grown to 3:4, times 1.1 |" in text
    assert "17 heatmaps of 32 x 24, target sigma 1, UDP" in text


def test_the_card_judges_what_was_shipped(pack, tmp_path, monkeypatch, tiny_sizes):
    write_pack(tmp_path / "pack.npz", pack)
    judged = []
    scores = train.judge
    monkeypatch.setattr(
        cmd, "judge", lambda network, *people: judged.append(network) or scores(network, *people)
    )
    cmd.run(command(tmp_path))
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(tmp_path / "weights"))
    shipped = load_pose_model("tiny").network.state_dict()
    (network,) = judged
    assert all(torch.equal(value, shipped[name]) for name, value in network.state_dict().items())


def test_shipped_weights_can_be_between_the_initial_and_the_final_ones(
    pack, tmp_path, monkeypatch, tiny_sizes
):
    write_pack(tmp_path / "pack.npz", pack)
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(tmp_path / "weights"))

    def shipped(*more):  # the training is done once; then it is only shipped anew
        cmd.run(command(tmp_path, *more))
        return load_pose_model("tiny").network.state_dict()

    end, half, start = shipped(), shipped("--keep-start", "0.5"), shipped("--keep-start", "1")
    assert "with a share of 1." in (tmp_path / "weights" / "tiny.md").read_text()
    random = train.rounded(fresh_network(TINY, seed=0)).state_dict()
    for name, value in half.items():
        assert torch.equal(start[name], random[name])
        torch.testing.assert_close(value, (start[name] + end[name]) / 2, atol=1e-3, rtol=1e-3)
    assert not torch.equal(start["backbone.last_norm.bias"], end["backbone.last_norm.bias"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--keep-start", "1.5"), "--keep-start: expected 0 to 1"),
        (("--steps", "0"), "--steps: expected 1"),
        (("--hint", "-1"), "--hint: expected 0"),
        (("--padding", "0.5"), "--padding: expected 1 to 2"),
        (("--input-height", "300"), "--input-height: expected a multiple of 64 from 64 to 512"),
        (("--ema", "1.5"), "--ema: expected 0 to 1"),
        (("--occluders", "2"), "--occluders: expected 0 to 1"),
        (("--dropped", "2", "--distill", "x"), "--dropped: expected 0 to 1"),
        (("--dropped", "0.5"), "--dropped needs a teacher"),
        (("--lr", "0"), "--lr: expected above 0"),
        (("--init", "dinov2", "--size", "B"), "expected --size S"),
        (("--unlabelled", "clips"), "needs a teacher"),
    ],
)
def test_options_that_do_not_fit(pack, tmp_path, options, message):
    write_pack(tmp_path / "pack.npz", pack)
    with pytest.raises(OptionsError, match=message):
        cmd.run(command(tmp_path, "--size", "Ti", *options))


def test_the_earlier_name_of_an_option_still_works_and_states_keep_theirs(tmp_path):
    old, new = (command(tmp_path, name, "0.5") for name in ("--settle", "--mild-from"))
    assert cmd.recipe_of(old) == cmd.recipe_of(new) == replace(cmd.recipe_of(old), mild_from=0.5)
    facts = cmd.recipe_of(old).as_facts()
    assert facts["settle"] == 0.5
    assert facts.keys() ^ asdict(Recipe()).keys() == {
        "settle",
        "mild_from",
        "occluders",
        "dropped",
    }


@pytest.mark.parametrize("option", ["occluders", "dropped"])
def test_a_state_from_before_there_was_an_option_is_still_that_of_a_training_without(option):
    with_some, without = Recipe(**{option: 0.5}).as_facts(), Recipe().as_facts()
    assert option not in without
    assert with_some == {**without, option: 0.5}
