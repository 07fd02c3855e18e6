"""The review widget in a real browser: keys, loop, drag, loading ahead, two reviewers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from gymform.dataset.corrections import corrected_poses, corrections_of
from gymform.dataset.items import ACCEPTED, PENDING, REJECTED, SKIPPED, Filter, Judged
from gymform.dataset.reviews import ReviewStore
from gymform.pose.corrections import EXCHANGE, HIDDEN
from gymform.skeleton import LEFT_ELBOW
from tests.browser.conftest import ROOT_WITH
from tests.dataset.makers import make_store

pytestmark = pytest.mark.browser

PROJECT = Path(__file__).resolve().parents[2]
SCREENSHOTS = PROJECT / "out" / "screenshots"
PATIENCE_MS = 60_000
"""A busy machine may need long for what usually takes a moment."""

ROOT = ROOT_WITH.format(".reviewer")
SHOWN = f"() => {ROOT}?.querySelector('.reviewer').dataset.shown"
IS_SHOWN = f"id => {ROOT}?.querySelector('.reviewer').dataset.shown === id"
VIDEO = f"{ROOT}.querySelector('video.shown')"
FRAME = f"() => Number({ROOT}.querySelector('.reviewer').dataset.frame)"


@pytest.fixture(scope="module", name="home")
def _home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module", name="address")
def _address(serve, home, browser) -> str:
    address = serve(PROJECT / "serve.py", GYMFORM_HOME=str(home))
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(address)  # the first page of a fresh server has to be the app itself
    page.get_by_role("link", name="Review").wait_for()
    page.close()
    return address


@pytest.fixture(name="store")
def _store(home, request):
    """A new data set of eight clips for every test."""
    folder = make_store(home / "datasets" / request.node.name.replace("[", "-").strip("]"), 8)
    with ReviewStore.open(folder) as store:
        yield store


@pytest.fixture(name="sit_down")
def _sit_down(browser, address, store):
    """Opens the review as a reviewer, in a browser of their own."""
    contexts, errors = [], []

    def sit_down(name: str = "Anna"):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(PATIENCE_MS)
        context.add_cookies([{"name": "gymform_reviewer", "value": quote(name), "url": address}])
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{address}/review?dataset={quote(store.folder.name)}")
        page.wait_for_function(SHOWN)
        return page

    yield sit_down
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture(name="page")
def _page(sit_down):
    return sit_down()


def queue(store: ReviewStore) -> list[str]:
    return [one.item.id for one in store.judged(Filter(verdicts=(PENDING,)))]


def on_screen(page, item_id: str) -> None:
    """Wait until the item's video is shown."""
    page.wait_for_function(IS_SHOWN, arg=item_id)


def saved(page, text: str) -> None:
    """Wait until the log says that ``text`` is saved."""
    page.locator(".log li.saved", has_text=text).first.wait_for()


def until(page, done: Callable[[], bool]) -> None:
    """Wait until ``done()``, letting the browser run."""
    for _ in range(PATIENCE_MS // 50):
        if done():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not come to pass")


def standing(store: ReviewStore, item_id: str) -> Judged:
    return store.get(item_id)


def test_the_worst_clip_plays_at_once_and_the_next_are_loaded(page, store):
    first, *coming = queue(store)
    on_screen(page, first)
    page.wait_for_function(f"() => !{VIDEO}.paused && {VIDEO}.currentTime > 0.2")
    page.wait_for_function(
        f"() => [...{ROOT}.querySelectorAll('video')].filter(v => v.readyState >= 2).length === 3"
    )
    page.locator(".plot path").nth(2).wait_for(state="attached")
    assert page.locator(".tally").inner_text().startswith("0 of 8 judged")
    assert len(coming) == 7


def test_four_keys_decide_and_go_on(page, store):
    ids = queue(store)
    page.keyboard.press("a")
    on_screen(page, ids[1])
    page.keyboard.press("S")
    on_screen(page, ids[2])
    page.keyboard.press("x")
    page.locator(".why").wait_for()
    assert page.locator(".confirm").is_disabled()
    page.keyboard.press("1")
    page.keyboard.press("4")
    page.locator(".comment").fill("a plate hides the knees; x a s z")
    page.locator(".comment").press("Enter")
    on_screen(page, ids[3])
    for text in ("Accepted", "Skipped", "Rejected"):
        saved(page, text)
    assert [standing(store, one).verdict for one in ids[:4]] == [
        ACCEPTED,
        SKIPPED,
        REJECTED,
        PENDING,
    ]
    rejected = standing(store, ids[2])
    assert rejected.reasons == ("poor keypoints", "occluded")
    assert rejected.comment == "a plate hides the knees; x a s z"
    assert rejected.reviewer == "Anna"
    page.keyboard.press("z")
    on_screen(page, ids[2])
    assert standing(store, ids[2]).verdict == PENDING
    page.get_by_text("2 of 8 judged").wait_for()
    page.keyboard.press("a")
    on_screen(page, ids[3])  # those judged before are passed over


def test_a_page_built_anew_still_asks_why_with_what_was_answered(page, store):
    first, second, *_ = queue(store)
    on_screen(page, first)
    page.keyboard.press("x")
    page.locator(".why").wait_for()
    page.keyboard.press("4")
    page.locator(".comment").fill("a plate")
    page.reload()
    on_screen(page, first)
    page.locator(".why").wait_for()
    assert page.locator(".comment").input_value() == "a plate"
    page.locator(".comment").press("Enter")
    on_screen(page, second)
    assert not page.locator(".why").is_visible()
    saved(page, "Rejected")
    rejected = standing(store, first)
    assert rejected.reasons == ("occluded",)
    assert rejected.comment == "a plate"
    page.reload()
    on_screen(page, second)
    assert not page.locator(".why").is_visible()


def test_escape_gives_the_question_up(page, store):
    first, *_ = queue(store)
    on_screen(page, first)
    page.keyboard.press("x")
    page.keyboard.press("1")
    page.keyboard.press("Escape")
    page.locator(".why").wait_for(state="hidden")
    page.reload()
    on_screen(page, first)
    assert not page.locator(".why").is_visible()


def test_decisions_faster_than_the_server_are_all_kept(page, store):
    ids = queue(store)
    for _ in range(5):
        page.keyboard.press("a")
    on_screen(page, ids[5])
    page.get_by_text("5 of 8 judged").wait_for()
    until(page, lambda: page.locator(".log li.saving").count() == 0)
    assert [standing(store, one).verdict for one in ids] == [ACCEPTED] * 5 + [PENDING] * 3
    assert store.revision() == 5


def test_what_was_not_answered_before_a_reload_is_sent_again(page, store):
    ids = queue(store)
    wish = {"kind": "verdict", "item": ids[0], "revision": 0, "verdict": ACCEPTED, "seq": 1}
    wish |= {"reasons": [], "comment": ""}
    kept = {"reviewer": "Anna", "dataset": store.folder.name, "outbox": [wish]}
    page.evaluate("kept => sessionStorage.setItem('gymform-review', JSON.stringify(kept))", kept)
    page.reload()
    until(page, lambda: standing(store, ids[0]).verdict == ACCEPTED)
    on_screen(page, ids[1])
    saved(page, "Accepted")
    page.reload()
    on_screen(page, ids[1])
    assert store.revision() == 1


def test_keys_do_nothing_in_a_text_box(page, store):
    label = page.locator("input.label")
    label.fill("")
    label.press_sequentially("axszz")
    assert label.input_value() == "axszz"
    label.press("ArrowLeft")
    label.press("Escape")
    page.get_by_role("button", name="New data set").click()
    box = page.get_by_label("Name of the new data set")
    box.press_sequentially("asx")
    assert box.input_value() == "asx"
    assert page.locator(".log li").count() == 0
    assert store.revision() == 0


def test_relabelling(page, store):
    first = queue(store)[0]
    page.locator("input.label").fill("front squat")
    page.locator("input.label").press("Enter")
    saved(page, "front squat")
    assert standing(store, first).item.exercise == "front squat"
    on_screen(page, first)


def test_arrows_step_and_seek(page):
    page.keyboard.press(" ")
    page.wait_for_function(f"() => {VIDEO}.paused")
    page.keyboard.press("Home")
    page.wait_for_function(f"() => ({FRAME})() === 0")
    for key, frame in (
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("Shift+ArrowRight", 17),
        ("ArrowLeft", 16),
        ("Shift+ArrowLeft", 1),
    ):
        page.keyboard.press(key)
        page.wait_for_function(f"frame => ({FRAME})() === frame", arg=frame)
    page.wait_for_function(f"() => !{VIDEO}.seeking")
    assert page.evaluate(f"() => {VIDEO}.currentTime") == pytest.approx(1.5 / 30, abs=0.01)


def test_speed_is_kept_from_clip_to_clip(page, store):
    second = queue(store)[1]
    page.locator("select.speed").select_option("0.25")
    page.keyboard.press("a")
    on_screen(page, second)
    page.wait_for_function(f"() => {VIDEO}.playbackRate === 0.25 && !{VIDEO}.paused")


def test_dragging_an_end_trims_shows_the_frame_and_loops_in_it(page, store):
    first = queue(store)[0]
    chart, handle = page.locator(".chart").bounding_box(), page.locator(".handle.end")
    page.locator(".plot path").first.wait_for(state="attached")
    box = handle.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(chart["x"] + chart["width"] / 3, middle, steps=5)
    page.wait_for_function(f"() => Math.abs({VIDEO}.currentTime - 1) < 0.06 && {VIDEO}.paused")
    page.mouse.up()
    saved(page, "0.00 – 1.00 s")
    item = standing(store, first).item
    assert (item.start_s, item.end_s) == (0.0, pytest.approx(1.0, abs=0.05))
    page.wait_for_function(f"() => !{VIDEO}.paused")
    most = page.evaluate(
        f"""() => new Promise(done => {{
          let most = 0, wraps = 0, last = {VIDEO}.currentTime;
          const look = () => {{
            const now = {VIDEO}.currentTime;
            most = Math.max(most, now);
            if (now < last - 0.3) wraps += 1;
            last = now;
            wraps === 2 ? done(most) : requestAnimationFrame(look);
          }};
          look();
        }})"""
    )
    assert most < 1.3
    page.locator(".handle.start").focus()
    page.keyboard.press("ArrowRight")
    until(page, lambda: standing(store, first).item.start_s > 0)
    assert standing(store, first).item.start_s == pytest.approx(1 / 30, abs=1e-3)


JOINT = f"{ROOT}.querySelector('.skeleton circle[data-joint=left_elbow]')"
CENTRE = f"""() => {{
  const box = {JOINT}.getBoundingClientRect();
  return [box.left + box.width / 2, box.top + box.height / 2];
}}"""


def test_a_joint_is_dragged_in_three_frames_and_those_between_follow(page, store):
    sha256 = store.get(queue(store)[0]).item.clip_sha256
    before = corrected_poses(store, sha256).pose
    page.keyboard.press(" ")
    page.wait_for_function(f"() => {VIDEO}.paused")
    page.wait_for_function(f"() => !{ROOT}.querySelector('.correct').disabled")
    page.keyboard.press("Home")
    page.wait_for_function(f"() => ({FRAME})() === 0")
    page.keyboard.press("c")
    page.wait_for_function(f"() => Boolean({JOINT})")
    for number in range(3):
        x, y = page.evaluate(CENTRE)
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 30, y - 20, steps=4)
        page.mouse.up()
        until(page, lambda wanted=number + 1: len(corrections_of(store, sha256)) == wanted)
        for step in range(10):
            page.keyboard.press("ArrowRight")
            at = 10 * number + step + 1
            page.wait_for_function(f"at => ({FRAME})() === at", arg=at)
    found = corrected_poses(store, sha256)
    moved = found.pose.xy[:, LEFT_ELBOW] - before.xy[:, LEFT_ELBOW]
    assert (moved[:21, 0] > 2).all()
    assert (moved[:21, 1] < -1).all()
    assert (abs(moved[21:]) < 1e-3).all()
    page.get_by_text("left elbow at 0.67 s").first.wait_for(state="attached")
    photograph(page, "corrected")
    page.keyboard.press("z")
    until(page, lambda: len(corrections_of(store, sha256)) == 2)
    page.get_by_role("button", name="Exchange left and right").click()
    until(page, lambda: corrections_of(store, sha256)[-1].kind == EXCHANGE)
    page.get_by_role("button", name="Joint is hidden").click()
    until(page, lambda: corrections_of(store, sha256)[-1].kind == HIDDEN)
    page.wait_for_function(f"() => !{JOINT}")


def photograph(page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"review-{name}.png")


def test_two_reviewers_see_each_other_and_resolve_a_conflict(sit_down, store):
    anna = sit_down("Anna")
    anna.keyboard.press(" ")
    ben = sit_down("Ben")
    ids = queue(store)
    anna.keyboard.press("a")
    saved(anna, "Accepted")
    ben.get_by_text("Anna has just accepted this clip").wait_for()
    ben.get_by_role("button", name="Go on to the next").click()
    on_screen(ben, ids[1])
    ben.get_by_text("1 of 8 judged").wait_for()

    on_screen(anna, ids[1])  # and while she looks at it, somebody else decides
    store.decide(ids[1], REJECTED, reviewer="Carl", reasons=("occluded",), revision=0)
    anna.keyboard.press("a")
    mine = anna.get_by_role("button", name="Use mine")
    until(anna, lambda: mine.count() > 0 or standing(store, ids[1]).verdict == ACCEPTED)
    if mine.count():  # unless the page heard of Carl within the moment before the key
        assert "rejected by Carl" in anna.locator(".notice").inner_text()
        assert standing(store, ids[1]).verdict == REJECTED
        mine.click()
    until(anna, lambda: standing(store, ids[1]).verdict == ACCEPTED)
    assert standing(store, ids[1]).reviewer == "Anna"


def test_the_end_is_said_and_undo_leads_back(page, store):
    ids = queue(store)
    for number in range(1, 9):
        page.keyboard.press("a")
        if number < 8:
            on_screen(page, ids[number])
    page.get_by_text("All done").wait_for()
    page.get_by_text("8 of 8 judged").wait_for()
    page.keyboard.press("z")
    on_screen(page, ids[7])


def test_the_name_is_asked_once(browser, address, store):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    link = f"{address}/review?dataset={quote(store.folder.name)}"
    page.goto(link)
    page.get_by_label("Your name", exact=True).fill("Dörte Ö.")
    page.get_by_role("button", name="Begin").click()
    page.wait_for_function(SHOWN)
    page.goto(link)
    page.wait_for_function(SHOWN)
    page.get_by_role("button", name="Dörte Ö").wait_for()
    context.close()
