"""Nothing that a user typed is markup on any page: not a link, not a picture, not an icon.

Two nets. One reads the source: whatever is shown and may hold a user's text goes through
``plain`` or ``as_text``. The other plants markup as every name there is and looks at what the pages
hand to the browser.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from gymform.dataset.items import ACCEPTED, REJECTED
from gymform.dataset.reviews import ReviewStore
from gymform.errors import GymformError
from gymform.storage import data_dir
from gymform.training.exercise import records
from tests import fakes, made_runs
from tests.dataset import makers

PROJECT = Path(__file__).parents[2]

EVIL = "![x](http://evil/x.png) [l](http://evil) <b>"

# --- the source -------------------------------------------------------------------------------

SHOWN = {
    "markdown", "error", "warning", "info", "success", "toast", "caption", "title", "header",
    "subheader", "write", "button", "checkbox", "toggle", "popover", "expander", "metric",
    "progress", "text_input", "download_button", "page_link", "spinner", "html",
    "form_submit_button", "tabs", "status", "exception",
}  # fmt: skip
"""Methods whose words Streamlit reads as Markdown, or that show them as they are."""

USERS = {
    "name", "comment", "reviewer", "reason", "reasons", "exercise", "group", "source", "message",
    "stem", "label", "licence", "provenance", "text", "problem", "problems", "notes", "title",
    "stage", "instead", "value", "dataset",
}  # fmt: skip
"""Attributes that may hold what somebody typed, or a sentence that quotes it."""

SAFE = {"plain", "as_text", "count", "percent", "duration", "clock", "when", "len", "listed"}
"""Calls whose answer is no markup, whatever they are given."""

OURS = {("cue", "text"), ("first", "value"), ("more", "value"), ("status", "stage")}
"""Words that gymform wrote itself: (variable, attribute)."""


def unescaped(tree: ast.Module) -> Iterator[str]:
    """Every place where a user's text may reach the screen as markup."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        assigned = {
            target.id: node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        caught = {
            node.name for node in ast.walk(function) if isinstance(node, ast.ExceptHandler)
        } - {None}
        for call in ast.walk(function):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
                continue
            if call.func.attr in SHOWN and ast.unparse(call.func.value) != "charts":
                words = call.args[:1] + [k.value for k in call.keywords if k.arg in WORDS]
                for word in words:
                    for found in raw(word, assigned, caught, set()):
                        yield f"{function.name}, line {call.lineno}: {ast.unparse(found)}"


WORDS = {"help", "text", "label", "body"}


def raw(
    node: ast.AST, assigned: dict[str, ast.AST], caught: set[str], seen: set[str]
) -> Iterator[ast.AST]:
    """What in ``node`` may be a user's text and goes through nothing that escapes it."""
    if isinstance(node, ast.Call):
        called = node.func
        name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
        if name in SAFE:
            return
        if name == "str":
            yield node
            return
    if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
        return  # numbers alone have a format here
    if isinstance(node, ast.Attribute) and node.attr in USERS and isinstance(node.value, ast.Name):
        if (node.value.id, node.attr) not in OURS and node.value.id not in ("st", "state"):
            yield node
        return
    if isinstance(node, ast.Attribute) and node.attr == "strerror":
        return  # the system's words
    if isinstance(node, ast.IfExp):  # the test is not shown
        yield from raw(node.body, assigned, caught, seen)
        yield from raw(node.orelse, assigned, caught, seen)
        return
    if isinstance(node, ast.Name):
        if node.id in caught:
            yield node
        elif node.id in assigned and node.id not in seen:
            yield from raw(assigned[node.id], assigned, caught, seen | {node.id})
        return
    for child in ast.iter_child_nodes(node):
        yield from raw(child, assigned, caught, seen)


PAGES = sorted((PROJECT / "pages").rglob("*.py"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_text_of_a_user_is_escaped(path):
    assert list(unescaped(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    ("line", "caught"),
    [
        ("st.error(str(error))", True),
        ("st.error(error)", False),
        ("st.markdown(f'**{clip.name}**')", True),
        ("st.markdown(f'**{plain(clip.name)}**')", False),
        ("left.caption(one.comment)", True),
        ("st.button(f'Delete {clip.name}')", True),
        ("words = f'by {one.reviewer}'\n    st.info(words)", True),
        ("words = as_text(one.reviewer)\n    st.info(words)", False),
        ("st.button('x', help=info.message)", True),
        ("st.dataframe([one.name])", False),
        ("try:\n        pass\n    except ValueError as error:\n        st.error(error)", True),
    ],
)
def test_the_net_catches(line, caught):
    assert bool(list(unescaped(ast.parse(f"def f():\n    {line}\n")))) is caught


# --- the pages --------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _setting(tmp_path, monkeypatch):
    folder = fakes.write_manifest(tmp_path / "weights")
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(folder))
    st.cache_data.clear()
    st.cache_resource.clear()


LIVE = re.compile(r"(?<!\\)\]\(|(?<!\\)<b>|https?://|(?<!\\)!\[")


def words_of(app: AppTest) -> Iterator[str]:
    """Everything that the browser is told to read as Markdown, labels and help included."""
    stack = [app.main, app.sidebar]
    while stack:
        node = stack.pop()
        stack += list(getattr(node, "children", {}).values())
        proto = getattr(node, "proto", None)
        if proto is None or type(node).__name__ in ("Dataframe", "Table"):
            continue
        for field in ("body", "label", "help", "text", "placeholder"):
            words = getattr(proto, field, "")
            if isinstance(words, str):
                yield words
    for kind in (app.toast,):
        yield from (element.value for element in kind)


def assert_no_markup(app: AppTest) -> None:
    assert not app.exception
    said = [word for word in words_of(app) if "evil" in word]
    assert [word for word in said if LIVE.search(word)] == []


def make_evil_store() -> Path:
    """A data set in which everything that can be named is called by EVIL."""
    folder = data_dir() / "datasets" / "lifts"
    with ReviewStore.open(folder, create=True) as store:
        for number in range(8):
            clip = makers.clip_record(number, name=f"{EVIL}.mp4", exercise=EVIL, group=EVIL)
            store.add_clip(clip)
            if number == 7:
                store.set_failed(clip.sha256, f"It cannot be read: {EVIL}")
                continue
            store.set_extracted(clip.sha256, [makers.item_of(clip)], [makers.quality_of(number)])
            item = makers.item_of(clip).id
            if number < 4:
                verdict = (ACCEPTED, REJECTED)[number % 2]
                store.decide(item, verdict, reviewer=EVIL, comment=EVIL)
    return folder


@pytest.mark.parametrize("view", ["Clips", "Review", "Accept many"])
def test_review(view):
    make_evil_store()
    app = AppTest.from_file(str(PROJECT / "pages" / "review.py"), default_timeout=60)
    app.session_state["reviewer-name"] = EVIL
    app.session_state["review-view-lifts"] = view
    app.session_state["page-problem"] = f"{EVIL} was rejected by {EVIL}"
    app.session_state["batch-said"] = f"Undone: {EVIL}"
    app.run()
    assert_no_markup(app)
    assert any("evil" in word for word in words_of(app))


@pytest.mark.parametrize("state", [records.DONE, records.FAILED, records.STOPPED])
def test_models(state):
    dataset = made_runs.make_accepted(data_dir() / "datasets" / "lifts")
    made_runs.make_run(dataset, "20260101-000000-tcn", state, message=EVIL, classes=(EVIL, "squat"))
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60)
    app.switch_page("pages/models.py")
    app.session_state["training_problem"] = EVIL
    app.session_state["training_news"] = EVIL
    app.run()
    assert_no_markup(app)
    assert any("evil" in word for word in words_of(app))


def test_analyze(monkeypatch):
    """A name and an error of another clip, as the page told them."""
    from pages.components.clip_session import Place

    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60)
    app.session_state["flow-analyze"] = Place(problem=GymformError(f"{EVIL} is no video"))
    app.run()
    assert_no_markup(app)
    assert any("evil" in word for word in words_of(app))
