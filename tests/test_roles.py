"""Roles: a function that only some may use refuses all others, whoever calls it."""

from __future__ import annotations

import pytest

from gymform import roles
from gymform.dataset.reviews import ReviewStore
from gymform.errors import NotAllowedError
from gymform.roles import Role, Visitor
from gymform.service.dataset_tasks import DatasetTask, DatasetTasks
from gymform.training.exercise import deploy, runs
from gymform.training.exercise.records import TrainOptions
from tests.dataset.makers import make_store

BELOW_ADMIN = [Role.NOBODY, Role.VISITOR, Role.CURATOR]


@pytest.fixture(name="ask")
def _ask():
    """Says who is asking from now on, for the length of the test."""
    yield lambda visitor: roles.ask_with(lambda: visitor)
    roles.ask_with(None)


@pytest.fixture(name="store")
def _store(tmp_path) -> ReviewStore:
    return ReviewStore.open(make_store(tmp_path / "lifts", 2, files=False))


def first(store: ReviewStore) -> str:
    return store.judged()[0].item.id


def test_each_role_may_do_what_those_below_it_may():
    assert Visitor(Role.ADMIN).may(Role.VISITOR)
    assert not Visitor(Role.VISITOR).may(Role.CURATOR)


def test_in_the_terminal_nobody_is_asked(ask):
    ask(None)
    roles.require(Role.ADMIN, "Anything")


@pytest.mark.parametrize("role", BELOW_ADMIN)
@pytest.mark.parametrize(
    "action",
    [
        lambda folder: runs.start_run(folder, TrainOptions()),
        lambda folder: runs.resume_run(folder),
        lambda folder: runs.stop_run(folder),
        lambda folder: runs.delete_run(folder),
        lambda folder: deploy.make_active(folder),
        lambda folder: deploy.make_default_active(),
        lambda folder: DatasetTasks().start(folder, "import", lambda progress: None),
        lambda folder: DatasetTasks().forget(folder),
        lambda folder: DatasetTask("import", lambda progress: None).stop(),
    ],
)
def test_what_changes_the_app_for_all_is_for_admins(ask, tmp_path, role, action):
    (tmp_path / "mine").touch()
    ask(Visitor(role))
    with pytest.raises(NotAllowedError, match="role admin"):
        action(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("role", [Role.NOBODY, Role.VISITOR])
@pytest.mark.parametrize(
    "action",
    [
        lambda store: store.decide(first(store), "accepted", reviewer="Eve"),
        lambda store: store.decide_all([first(store)], "accepted", reviewer="Eve"),
        lambda store: store.relabel(first(store), "row", reviewer="Eve"),
        lambda store: store.trim(first(store), 0.0, 0.1, reviewer="Eve"),
        lambda store: store.undo("Eve"),
    ],
)
def test_to_review_is_for_curators(ask, store, role, action):
    ask(Visitor(role))
    with pytest.raises(NotAllowedError, match="role curator"):
        action(store)
    assert store.revision() == 0


def test_a_curator_with_a_login_reviews_under_no_other_name(ask, store):
    store.decide(first(store), "accepted", reviewer="Anna")
    ask(Visitor(Role.CURATOR, name="Eve"))
    for action in (
        lambda: store.undo("Anna"),
        lambda: store.decide(first(store), "rejected", reviewer="Anna"),
        lambda: store.undo("anna"),
    ):
        with pytest.raises(NotAllowedError, match="logged in as Eve"):
            action()
    assert store.get(first(store)).verdict == "accepted"


@pytest.mark.parametrize("name", ["Anna", "ANNA", "anna@gym.example"])
def test_a_typed_name_is_not_one_that_logs_in(ask, store, name):
    ask(Visitor(Role.CURATOR, taken=frozenset({"anna"})))
    with pytest.raises(NotAllowedError, match="under the name"):
        store.undo(name)
    assert store.decide(first(store), "accepted", reviewer="Eve").reviewer == "Eve"


def test_only_an_admin_sets_back_what_another_decided(ask, store):
    item = first(store)
    store.decide(item, "accepted", reviewer="Anna")
    ask(Visitor(Role.CURATOR))
    with pytest.raises(NotAllowedError, match="what Anna decided"):
        store.decide(item, "pending", reviewer="Eve")
    ask(Visitor(Role.ADMIN))
    assert store.decide(item, "pending", reviewer="Eve").verdict == "pending"


def test_only_decisions_of_this_session_are_undone_under_a_typed_name(store):
    item = first(store)
    theirs = store.decide(item, "accepted", reviewer="Anna")
    assert store.undo("Anna", own=set()) is None
    mine = store.decide(item, "rejected", reviewer="Anna")
    undone = store.undo("Anna", own={mine.revision})
    assert undone is not None
    assert undone.verdict == theirs.verdict
    assert store.undo("Anna", own={mine.revision}) is None
