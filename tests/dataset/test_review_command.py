"""The command review: what it judges, what it leaves alone, what it says."""

import json

import pytest

from gymform import cli
from gymform.dataset.items import ACCEPTED, DISPUTED, PENDING, REJECTED, SKIPPED, Filter
from gymform.dataset.reviews import ReviewStore
from tests.dataset.makers import make_store


@pytest.fixture
def dataset(tmp_path):
    return make_store(tmp_path / "set", 12, files=False)


def review(dataset, *words: str) -> int:
    return cli.main(["review", str(dataset), *words, "--reviewer", "Ann"])


def verdicts(dataset) -> dict[str, list[float]]:
    """Qualities by verdict."""
    with ReviewStore.open(dataset) as store:
        found = store.judged()
    return {
        verdict: [one.quality for one in found if one.verdict == verdict]
        for verdict in (PENDING, ACCEPTED, REJECTED, SKIPPED)
    }


def test_what_fits_is_accepted_and_the_rest_stays(dataset, capsys):
    assert review(dataset, "accept", "--where", "quality>=0.5 and exercise=deadlift") == cli.OK
    with ReviewStore.open(dataset) as store:
        accepted = [one for one in store.judged() if one.verdict == ACCEPTED]
        assert accepted
        assert all(one.quality >= 0.5 and one.item.exercise == "deadlift" for one in accepted)
        assert {one.reviewer for one in accepted} == {"Ann"}
        left = [one for one in store.judged() if one.verdict == PENDING]
        assert not [one for one in left if one.quality >= 0.5 and one.item.exercise == "deadlift"]
    assert f"{len(accepted)} repetitions accepted" in capsys.readouterr().out


def test_a_rejection_needs_a_reason_of_the_list(dataset, capsys):
    assert review(dataset, "reject", "--where", "quality<0.5") == cli.FAILED
    assert "poor keypoints" in capsys.readouterr().err
    assert review(dataset, "reject", "--where", "quality<0.5", "--reason", "ugly") == cli.FAILED
    assert "got 'ugly'" in capsys.readouterr().err
    assert not verdicts(dataset)[REJECTED]
    how = ["--reason", "occluded", "--reason", "other", "--comment", "a plate"]
    assert review(dataset, "reject", "--where", "quality<0.5", *how) == cli.OK
    with ReviewStore.open(dataset) as store:
        rejected = [one for one in store.judged() if one.verdict == REJECTED]
    assert {(one.reasons, one.comment) for one in rejected} == {(("occluded", "other"), "a plate")}


def ids(dataset, **wanted) -> list[str]:
    with ReviewStore.open(dataset) as store:
        return [one.item.id for one in store.judged(Filter(**wanted))]


def test_two_judge_blind_and_a_third_settles(dataset, capsys):
    assert review(dataset, "blind") == cli.OK
    assert "judge blind from now on" in capsys.readouterr().out
    review(dataset, "accept", "--where", "quality>=0.5")
    capsys.readouterr()
    as_ben = ["--reviewer", "Ben"]
    assert cli.main(["review", str(dataset), "list", *as_ben]) == cli.OK
    listed = capsys.readouterr().out
    assert "Ann" not in listed
    assert listed.count("pending") == 12
    cli.main(["review", str(dataset), "reject", "--reason", "occluded", *as_ben])
    told = capsys.readouterr().out
    assert "12 repetitions rejected" in told
    assert "review set list --where verdict=disputed" in told
    both = ids(dataset, verdicts=(DISPUTED,))
    assert 0 < len(both) < 12
    as_carl = ["--reviewer", "Carl"]
    cli.main(["review", str(dataset), "list", "--where", "verdict=disputed", *as_carl])
    listed = capsys.readouterr().out
    assert listed.count("Ann: accepted") == listed.count("Ben: rejected") == len(both)
    one = ["--final", "--where", f"id={both[0]}", *as_carl]
    assert cli.main(["review", str(dataset), "accept", *one]) == cli.OK
    assert cli.main(["review", str(dataset), "reject", "--final", *as_carl]) == cli.OK
    assert "rejected for good" in capsys.readouterr().out
    assert ids(dataset, verdicts=(DISPUTED,)) == []
    with ReviewStore.open(dataset) as store:
        assert (store.get(both[0]).verdict, store.get(both[0]).reviewer) == (ACCEPTED, "Carl")
        assert store.get(both[1]).reasons == ("occluded",)
    cli.main(["review", str(dataset), "list", "--where", "settled=yes and reviewer=ben", *as_ben])
    assert f"{len(both)} repetitions" in capsys.readouterr().out
    assert cli.main(["review", str(dataset), "undo", *as_carl]) == cli.OK
    assert ids(dataset, verdicts=(DISPUTED,)) == both[1:]
    assert review(dataset, "open") == cli.OK
    assert "see each other's verdicts" in capsys.readouterr().out


def test_another_exercise_has_to_be_chosen_to_settle(dataset, capsys):
    with ReviewStore.open(dataset) as store:
        store.set_blind(True, reviewer="Ann")
        item = store.judged()[0].item.id
        store.decide(item, ACCEPTED, reviewer="Ann")
        store.relabel(item, "front squat", reviewer="Ben")
        store.decide(item, ACCEPTED, reviewer="Ben")
    assert review(dataset, "accept", "--final") == cli.FAILED
    assert "and as" in capsys.readouterr().err
    assert review(dataset, "accept", "--final", "--exercise", "front squat") == cli.OK
    with ReviewStore.open(dataset) as store:
        assert store.get(item).item.exercise == "front squat"
        assert store.get(item).settled


@pytest.mark.parametrize("words", [["list", "--final"], ["skip", "--final"],
                                   ["accept", "--exercise", "squat"]])  # fmt: skip
def test_only_accept_and_reject_are_final(dataset, capsys, words):
    assert review(dataset, *words) == cli.FAILED
    assert "accept --final or reject --final" in capsys.readouterr().err


def test_what_was_judged_before_is_left_unless_it_is_asked_for(dataset, capsys):
    review(dataset, "accept", "--where", "quality>0.5")
    good = len(verdicts(dataset)[ACCEPTED])
    capsys.readouterr()
    assert review(dataset, "skip") == cli.OK
    told = capsys.readouterr().out
    assert f"{good} left as they are" in told
    assert len(verdicts(dataset)[ACCEPTED]) == good
    assert not verdicts(dataset)[PENDING]
    assert "Next: " in told
    assert review(dataset, "skip", "--where", "verdict=accepted") == cli.OK
    assert len(verdicts(dataset)[SKIPPED]) == 12


def test_one_undo_takes_back_what_one_command_did(dataset, capsys):
    review(dataset, "accept", "--where", "exercise=squat")
    review(dataset, "accept", "--where", "exercise=snatch")
    assert review(dataset, "undo") == cli.OK
    assert len(verdicts(dataset)[ACCEPTED]) == 4
    assert review(dataset, "undo") == cli.OK
    assert not verdicts(dataset)[ACCEPTED]
    capsys.readouterr()
    assert review(dataset, "undo") == cli.FAILED
    assert "nothing of Ann to undo" in capsys.readouterr().out


def test_reset_makes_them_pending_again(dataset):
    review(dataset, "accept")
    assert review(dataset, "reset", "--where", "exercise=squat") == cli.OK
    found = verdicts(dataset)
    assert (len(found[PENDING]), len(found[ACCEPTED])) == (4, 8)


def test_a_dry_run_lists_and_writes_nothing(dataset, capsys):
    assert review(dataset, "accept", "--where", "quality>0.5", "--dry-run") == cli.OK
    told = capsys.readouterr().out.splitlines()
    expected = sum(one > 0.5 for one in verdicts(dataset)[PENDING])
    assert told[-1] == f"{expected} repetitions"
    assert len(told) == expected + 1
    assert not verdicts(dataset)[ACCEPTED]


def test_the_list_is_in_order_and_can_be_read_by_programs(dataset, capsys):
    assert review(dataset, "list", "--order", "best", "--limit", "3", "--json") == cli.OK
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    best = sorted(verdicts(dataset)[PENDING], reverse=True)[:3]
    assert [line["quality"] for line in lines] == best
    assert review(dataset, "list", "--where", "problem=jitter") == cli.OK
    *lines, last = capsys.readouterr().out.splitlines()
    assert last == f"{len(lines)} repetitions"
    assert all("[jitter]" in line for line in lines)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["accept", "--where", "qualty>1"], "Did you mean quality?"),
        (["accept", "--reason", "other"], "Only reject takes a --reason"),
        (["list", "--limit", "0"], "expected 1 or more, got 0"),
        (["accept", "--comment", "x" * 3000], "at most 2000"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_is_written(dataset, capsys, words, told):
    assert review(dataset, *words) == cli.FAILED
    assert told in capsys.readouterr().err
    assert len(verdicts(dataset)[PENDING]) == 12


def test_an_action_that_is_none_is_a_usage_error(dataset):
    with pytest.raises(SystemExit) as ended:
        review(dataset, "approve")
    assert ended.value.code == cli.USAGE


def test_repetitions_are_ranked_by_what_the_model_would_learn(tmp_path, capsys):
    dataset = make_store(tmp_path / "posed", 3, files=True)
    assert cli.main(["review", str(dataset), "rank"]) == cli.OK
    assert "3 pending repetitions ranked" in capsys.readouterr().out
    assert cli.main(["review", str(dataset), "list", "--order", "learn", "--json"]) == cli.OK
    assert len(capsys.readouterr().out.splitlines()) == 3
