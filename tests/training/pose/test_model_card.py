"""Model cards of pose networks: metrics are read, written in tables and replaced."""

import json
import math
from dataclasses import asdict, replace

import pytest

from gymform.errors import ModelDataError
from gymform.pose.checkpoints import load_pose_model
from gymform.pose.estimator import PoseEstimator
from gymform.training.pose import command as cmd
from gymform.training.pose import model_card, train
from gymform.training.pose.evaluate import evaluate
from gymform.training.pose.initial_weights import fresh_network
from gymform.training.pose.metrics import PoseScores
from gymform.training.pose.packs import split, write_pack
from gymform.weights import embedded_dir
from tests.pose.painted import dot_model
from tests.training.pose.makers import TINY, command


@pytest.mark.parametrize("name", ["vitpose-s", "vitpose-ti"])
def test_shipped_cards_take_newer_metrics(name, pack, tmp_path):
    """Whatever their limits say: cards of earlier versions too."""
    shipped = (embedded_dir() / f"{name}.md").read_text()
    card = tmp_path / f"{name}.md"
    card.write_text(shipped)
    scores = evaluate(PoseEstimator(dot_model()), pack, split(pack)[1]["coco_val2017"])
    model_card.update_results(card, name, {name: {"coco_val2017": replace(scores, pck=0.125)}})
    text = card.read_text()
    assert f"| {name} | 0.125 |" in text
    assert text.partition("## Limits")[2] == shipped.partition("## Limits")[2]
    assert text.partition("## Results")[0] == shipped.partition("## Results")[0]


def test_a_comparison_is_read_back(pack, tmp_path):
    rows = split(pack)[1]["coco_val2017"]
    scores = evaluate(PoseEstimator(dot_model()), pack, rows)
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps({"models": {"dots": {"coco_val2017": asdict(scores)}}}))
    read = model_card.read_comparison(path)
    assert read["dots"]["coco_val2017"] == scores
    assert "dots" in model_card.summary_table(read)
    path.write_text("{}")
    with pytest.raises(ModelDataError, match=r"metrics\.json"):
        model_card.read_comparison(path)


def test_the_metrics_of_a_card_can_be_replaced(pack, tmp_path, monkeypatch, tiny_sizes):
    write_pack(tmp_path / "pack.npz", pack)
    older, newer = tmp_path / "older.json", tmp_path / "newer.json"
    scores = evaluate(PoseEstimator(dot_model()), pack, split(pack)[1]["coco_val2017"])
    for path, pck in ((older, 0.125), (newer, 0.875)):
        sets = {"coco_val2017": asdict(replace(scores, pck=pck))}
        path.write_text(json.dumps({"models": {"dots": sets}}))
    written = tmp_path / "weights" / "tiny.md"
    cmd.run(command(tmp_path, "--compare", str(newer)))
    expected = written.read_text()
    cmd.run(command(tmp_path, "--compare", str(older)))
    assert "| dots | 0.125 |" in written.read_text()

    monkeypatch.setenv("GYMFORM_WEIGHTS", str(tmp_path / "weights"))
    own = train.judge(load_pose_model("tiny").network, pack, split(pack)[1])
    model_card.update_results(written, "tiny", {**model_card.read_comparison(newer), "tiny": own})
    assert written.read_text() == expected

    other = tmp_path / "other.md"
    other.write_text("# Numbers\n")
    with pytest.raises(ModelDataError, match=r"other\.md: expected a model card"):
        model_card.update_results(other, "tiny", {"tiny": own})
    assert other.read_text() == "# Numbers\n"


# ---- parts of a card

SCORES = PoseScores(
    people=4, pck=0.5, good=0.25, ap=0.125, oks=0.75, joints=(math.nan, *[0.5] * 16)
)


def test_a_joint_without_labels_has_no_number():
    lines = model_card.joint_table({"one": {"lspet": SCORES}}).splitlines()
    assert lines[0] == "| joint | one, lspet |"
    assert lines[2:4] == ["| nose | - |", "| left eye | 0.500 |"]
    assert len(lines) == 2 + 17


def test_a_joint_without_labels_survives_json(tmp_path):
    plain = asdict(SCORES) | {"joints": [None, *[0.5] * 16]}
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps({"models": {"one": {"lspet": plain}}}))
    read = model_card.read_comparison(path)["one"]["lspet"]
    assert math.isnan(read.joints[0])
    assert read.joints[1:] == SCORES.joints[1:]


def test_the_summary_has_a_row_for_each_set_of_each_model():
    models = {"a": {"lspet": SCORES}, "b": {"lspet": SCORES, "coco_val2017": SCORES}}
    rows = model_card.summary_table(models).splitlines()[2:]
    assert [row.split(" | ")[1] for row in rows] == ["b", "a", "b"]
    assert rows[0] == "| COCO val2017, everyday scenes (4) | b | 0.500 | 25.0% | 0.125 | 0.750 |"


RECORD = model_card.TrainingRecord(
    start="random weights", teacher="", ancestors=(), people={"lspet": 7, "mine": 2}, note="",
    recipe={"steps": 10, "pool": 0, "mild_from": 1.0}, kept=0.0, steps=10, command="train-pose",
)  # fmt: skip


def card_of(folder, record=RECORD, scores=None, others=None):
    path = folder / "tiny.md"
    entry = train.ship(fresh_network(TINY, seed=0), "tiny", folder)
    model_card.write(path, entry, record, scores or {}, others or {})
    return path.read_text()


def test_a_card_tells_only_what_was_done(tmp_path):
    text = card_of(tmp_path)
    for words in ("Start: random weights.", "Then 10 steps by", "- **lspet**, 7 people. LSP",
                  "- **mine**, 2 people.", "nothing was measured"):  # fmt: skip
        assert words in text
    for words in ("Teacher:", "planned", "had learned from", "initial weights with a share"):
        assert words not in text
    more = replace(RECORD, teacher="`big`", ancestors=("big", "old"), kept=0.25, steps=4)
    text = card_of(tmp_path, more)
    for words in ("Teacher: `big`, on the same augmented crops", "4 steps of 10 planned",
                  "What `big` and `old` had learned from", "with a share of 0.25"):  # fmt: skip
        assert words in text


def test_a_card_tells_of_occluders(tmp_path):
    assert "are laid over joints" not in card_of(tmp_path)
    hidden = replace(RECORD, recipe={**RECORD.recipe, "occluders": 0.4})
    text = card_of(tmp_path, hidden)
    assert "occluders 0.4" in text
    assert "are laid over joints" in text


def test_earlier_metrics_of_the_same_name_give_way_to_the_new_ones(tmp_path):
    others = {"tiny": {"lspet": replace(SCORES, pck=0.111)}, "big": {"lspet": SCORES}}
    text = card_of(tmp_path, scores={"lspet": replace(SCORES, pck=0.999)}, others=others)
    assert "| tiny | 0.999 |" in text
    assert "| big | 0.500 |" in text
    assert "0.111" not in text
