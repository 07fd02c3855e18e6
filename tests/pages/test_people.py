"""Who is in which clip, on the page Review: put together, parted, proposed, saved and undone."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from gymform.dataset import people as proposals
from gymform.dataset.groups import assign, unconfirmed
from gymform.dataset.people import Proposal
from gymform.dataset.reviews import ReviewStore
from gymform.roles import Role
from pages.components import clips, shared
from tests.dataset.makers import make_store
from tests.pages.test_review import button, folder, open_page, texts


@pytest.fixture(autouse=True)
def _fresh_caches():
    shared._stores.forget()
    shared.reply_log.forget()
    clips.dataset_tasks.forget()


@pytest.fixture
def store():
    make_store(folder(), 4, files=False)
    with ReviewStore.open(folder()) as opened:
        yield opened


def named(store: ReviewStore) -> list[str]:
    return [clip.group for clip in store.clips()]


def tick(app: AppTest, store: ReviewStore, *places: int) -> None:
    ids = [clip.sha256 for clip in store.clips()]
    for place in places:
        (box,) = (one for one in app.checkbox if ids[place] in one.key)
        box.check()
    app.run()


def test_several_are_put_together_and_nothing_is_kept_before_it_is_saved(store):
    before = named(store)
    app = open_page(view="People")
    assert not app.exception
    assert "4 clips** of **4 people" in texts(app)
    assert "Nobody confirmed who is in 4" in texts(app)
    tick(app, store, 0, 2, 3)
    app.text_input[-1].set_value("Zoe")
    button(app, "Put 3 ticked clips together").click().run()
    assert not app.exception
    assert "4 clips** of **2 people** or sources, 3 changes not saved yet" in texts(app)
    assert named(store) == before
    button(app, "Save who is who").click().run()
    assert not app.exception
    assert named(store) == ["Zoe", before[1], "Zoe", "Zoe"]
    assert unconfirmed(store) == set()
    assert "Somebody confirmed who is in each clip" in texts(app)
    button(app, "Undo what I saved last").click().run()
    assert named(store) == before
    assert "Nobody confirmed" in texts(app)


def test_clips_are_parted_and_renamed_one_by_one(store):
    ids = [clip.sha256 for clip in store.clips()]
    assign(store, dict.fromkeys(ids, "Zoe"), reviewer="Ben")
    app = open_page(view="People")
    tick(app, store, 0, 1)
    button(app, "Each on its own").click().run()
    (box,) = (one for one in app.selectbox if ids[2] in str(one.key))
    box.set_value("clip-0000").run()
    assert not app.exception
    button(app, "Save who is who").click().run()
    assert named(store) == ["clip-0000", "clip-0001", "clip-0000", "Zoe"]


def test_changes_can_be_discarded(store):
    app = open_page(view="People")
    tick(app, store, 0, 1)
    button(app, "Put 2 ticked clips together").click().run()
    assert "not saved yet" in texts(app)
    button(app, "Discard changes").click().run()
    assert "not saved yet" not in texts(app)
    assert not [box for box in app.checkbox if box.value]


def test_what_somebody_else_saved_meanwhile_is_shown(store):
    app = open_page(view="People")
    assign(store, {store.clips()[0].sha256: "Zoe"}, reviewer="Ben")
    app.run()
    assert "##### Zoe" in texts(app)
    assert "not saved yet" not in texts(app)


def test_proposals_fill_the_sheet_and_are_confirmed_by_saving(store, monkeypatch):
    before, ids = named(store), [clip.sha256 for clip in store.clips()]
    proposal = Proposal(dict(zip(ids, "aabb", strict=True)), dict.fromkeys(ids, 0.87))
    monkeypatch.setattr(proposals, "propose_groups", lambda store, progress: proposal)
    app = open_page(view="People")
    button(app, "Propose who is the same").click().run()
    clips.dataset_tasks().of(folder()).join(30)
    app.run()
    assert not app.exception
    assert "87% sure" in texts(app)
    assert "4 changes not saved yet" in texts(app)
    assert named(store) == before
    app.run()
    button(app, "Save who is who").click().run()
    assert named(store) == list("aabb")
    assert "87% sure" not in texts(app)  # it is confirmed now


def test_an_empty_name_changes_nothing(store):
    app = open_page(view="People")
    tick(app, store, 1)
    app.text_input[-1].set_value("  ")
    button(app, "Put 1 ticked clip together").click().run()
    assert not app.exception
    assert "not saved yet" not in texts(app)


def test_only_an_admin_is_offered_to_compare(store, monkeypatch):
    monkeypatch.setattr("pages.components.access.may", lambda role: role < Role.ADMIN)
    app = open_page(view="People")
    labels = [item.label for item in app.button]
    assert "Propose who is the same" not in labels
    assert "Save who is who" in labels
