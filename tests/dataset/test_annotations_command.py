"""The commands annotations and card: files out and back, and what they say."""

import json

from gymform import cli
from gymform.dataset.corrections import all_corrections
from gymform.dataset.items import ACCEPTED, REJECTED
from gymform.dataset.reviews import ReviewStore
from tests.dataset.makers import make_store


def test_keypoints_go_out_and_come_back(tmp_path, capsys):
    dataset = make_store(tmp_path / "set", 2)
    folder = tmp_path / "coco"
    assert cli.main(["annotations", str(dataset), "export", str(folder)]) == cli.OK
    assert "2 clips in" in capsys.readouterr().out
    first, second = sorted(folder.iterdir())
    content = json.loads(first.read_text())
    content["annotations"][0]["keypoints"][:3] = [1.0, 2.0, 2]
    first.write_text(json.dumps(content))
    how = ["annotations", str(dataset), "import", str(first), str(second), "--reviewer", "Ann"]
    assert cli.main(how) == cli.OK
    told = capsys.readouterr().out
    assert f"{first.name}: 1 corrections" in told
    assert f"{second.name}: 0 corrections" in told
    with ReviewStore.open(dataset) as store:
        assert len(all_corrections(store)) == 1


def test_the_card_is_printed_or_written_and_says_where_reviewers_disagree(tmp_path, capsys):
    dataset = make_store(tmp_path / "set", 2, files=False)
    with ReviewStore.open(dataset) as store:
        item = store.judged()[0].item.id
        store.decide(item, ACCEPTED, reviewer="Ann")
        store.decide(item, REJECTED, reviewer="Ben", reasons=("other",))
    assert cli.main(["card", str(dataset)]) == cli.OK
    told = capsys.readouterr().out
    assert told.startswith("# set\n")
    assert f"Reviewers disagree on: {item}" in told
    assert cli.main(["card", str(dataset), "--to", str(tmp_path / "card.md")]) == cli.OK
    assert (tmp_path / "card.md").read_text().startswith("# set\n")


def test_tasks_for_label_studio_go_out_and_come_back(tmp_path, capsys):
    dataset = make_store(tmp_path / "set", 1)
    folder = tmp_path / "tasks"
    how = ["annotations", str(dataset), "export", str(folder), "--format", "label-studio"]
    assert cli.main(how) == cli.OK
    (file,) = folder.glob("*.json")
    tasks = json.loads(file.read_text())
    result = tasks[0]["predictions"][0]["result"]
    tasks[0]["annotations"] = [{"result": result[1:]}]
    file.write_text(json.dumps(tasks))
    capsys.readouterr()
    assert cli.main(["annotations", str(dataset), "import", str(file), "--reviewer", "A"]) == cli.OK
    assert f"{file.name}: 1 corrections" in capsys.readouterr().out
