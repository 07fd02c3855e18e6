"""Starting a training and watching it: what is in the data set, options, live curves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from gymform.dataset.groups import UNCONFIRMED
from gymform.dataset.reviews import ReviewStore
from gymform.draw import report_charts as charts
from gymform.draw.charts import percent
from gymform.errors import GymformError
from gymform.exercise.networks.catalogue import CATALOGUE
from gymform.exercises import title_of
from gymform.roles import Role
from gymform.training.exercise import records, runs
from gymform.training.exercise.readiness import (
    MIN_GROUPS,
    Contents,
    advice,
    contents_of,
    large_enough,
    why_not,
)
from pages.components import access
from pages.components.text import as_text, count, duration

STILL = {"displayModeBar": False}

FOLDS = {1: "One split", 3: "3 folds", 5: "5 folds"}


def contents(folder: Path) -> Contents:
    """What is in the data set in ``folder`` now. Raises DatasetError."""
    with ReviewStore.open(folder) as store:
        return _contents(folder, store.changes())


@st.cache_data(max_entries=8, show_spinner=False)
def _contents(folder: Path, changes: tuple[int, ...]) -> Contents:
    """Read again when there are new decisions or clips, since these are in the cache key."""
    return contents_of(folder)


def show_contents(dataset: Path, what: Contents) -> None:
    """Accepted repetitions by exercise, and the number of pending ones."""
    if not what.total:
        st.info(
            "Nothing in this data set is accepted yet. "
            f"{count(what.pending, 'repetition')} wait for you on the page Review.",
            icon=":material/fact_check:",
        )
        to_review(dataset)
        return
    st.markdown(
        f"**{count(what.total, 'accepted repetition')}** from {count(what.everyone, 'group')} "
        "(a group is one person or source)"
    )
    st.plotly_chart(
        charts.clip_bars(what.accepted, what.groups),
        key="contents",
        config=STILL,
        alt=charts.describe_clips(what.accepted, what.groups),
    )
    if what.unconfirmed:
        st.warning(
            f"{UNCONFIRMED} That is so for {what.unconfirmed:,} of {what.total:,}: say who is who "
            "on the page Review, under People.",
            icon=":material/group:",
        )
    if what.disputed:
        st.caption(
            f"{count(what.disputed, 'repetition')} disputed: not trained on until somebody settles "
            "it on the page Review."
        )
    if what.pending:
        st.caption(f"{count(what.pending, 'repetition')} not judged yet: not trained on.")


def to_review(dataset: Path | None = None) -> None:
    """A link to the page where clips are imported and judged."""
    chosen = {"dataset": dataset.name} if dataset else None
    st.page_link(
        "pages/review.py",
        label="Import and judge clips",
        icon=":material/arrow_forward:",
        query_params=chosen,
    )


# -- before ----------------------------------------------------------------------------------


def offer(folder: Path, what: Contents) -> None:
    """Network family, options and the button that starts a training."""
    model = st.segmented_control(
        "Model",
        list(CATALOGUE),
        default=records.MODELS[0],
        required=True,
        format_func=lambda name: CATALOGUE[name].title,
        key="family",
        persist_state="session",
    )
    st.caption(CATALOGUE[model or records.MODELS[0]].sentence)
    with st.expander("Options", icon=":material/tune:"):
        chosen = _options(model or records.MODELS[0], what)
    classes = chosen.classes or tuple(what.accepted)
    problem = why_not(classes, what)
    if problem:
        st.warning(as_text(problem), icon=":material/block:")
    else:
        if few := advice(classes, what):
            with st.expander("Few clips: its figures will be rough", icon=":material/info:"):
                st.markdown("\n".join(f"- {as_text(line)}" for line in few))
        took = duration(runs.estimate_s(folder, chosen, what.total))
        st.caption(f"It is likely to take {took} on this machine.")
    st.button(
        "Start training",
        type="primary",
        icon=":material/play_arrow:",
        disabled=bool(problem),
        on_click=attempt,
        args=(runs.start_run, folder, chosen),
    )


def _options(model: str, what: Contents) -> records.TrainOptions:
    """The options chosen in the widgets."""
    names = list(what.accepted)
    classes = st.multiselect(
        "Exercises to tell apart",
        names,
        default=large_enough(what),
        format_func=title_of,
        key="classes-" + "-".join(names),
        help="The others are trained on as one class, “other”.",
    )
    fewest = min(what.groups_of(classes).values(), default=0)
    folds = st.segmented_control(
        "Evaluate with",
        list(FOLDS),
        default=5 if fewest >= 5 else 3 if fewest >= MIN_GROUPS else 1,
        required=True,
        format_func=FOLDS.__getitem__,
        key=f"folds-{fewest}",
        help="With folds, every clip is tested once, by a network that saw nothing of its group: "
        "better numbers, and a training that takes that many times as long.",
    )
    left, middle, right = st.columns(3)
    steps = left.number_input(
        "Steps", min_value=1, value=None, placeholder="default", step=100, key=f"steps-{model}"
    )
    views, size, frames, seed = None, 112, 8, 0
    if CATALOGUE[model].on_pixels:
        size = middle.select_slider("Picture size (px)", [64, 96, 112, 128, 160], 112, key="size")
        frames = right.select_slider("Frames of a clip", [4, 8, 12, 16], 8, key="frames")
    else:
        views = middle.number_input(
            "Augmented samples",
            min_value=1,
            value=None,
            placeholder="default",
            step=1000,
            key=f"views-{model}",
            help="How many to train on: clips seen from other angles, mirrored, slower, noisier…",
        )
        seed = right.number_input("Seed", min_value=0, value=0, step=1, key="seed")
    curve = st.toggle(
        "Learning curve",
        key="curve",
        help="Also train on fewer clips, to see whether more would help. Takes four times as long.",
    )
    return records.TrainOptions(
        model=model,
        classes=() if set(classes) == set(names) else tuple(classes),
        folds=folds or 1,
        seed=seed,
        steps=steps,
        views=views,
        frames=frames,
        size=size,
        learning_curve=curve,
    )


def attempt(action: Callable[..., Any], *arguments: Any, news: str = "", **options: Any) -> None:
    """Run a button's action; its result is shown by :func:`show_news` in the same run."""
    state = st.session_state
    try:
        action(*arguments, **options)
    except GymformError as error:
        state.training_problem = str(error)
    except OSError as error:
        state.training_problem = f"This could not be written: {error.strerror}."
    else:
        state.training_news = news


def show_news() -> None:
    """Show once how the last click ended, wherever on the page it was made."""
    if problem := st.session_state.pop("training_problem", None):
        st.error(as_text(problem), icon=":material/error:")
        st.toast(as_text(problem), icon=":material/error:", duration="long")
    if news := st.session_state.pop("training_news", None):
        st.toast(as_text(news), icon=":material/check_circle:", duration="long")


# -- running ---------------------------------------------------------------------------------


@st.fragment(run_every=1.0)
def follow(folder: Path) -> None:
    """Progress, live curves and a button to stop; the same in every session."""
    try:
        info = runs.read_run(folder)
    except GymformError:
        st.rerun()
    if not info.live:
        st.rerun()
    st.markdown(f"**{CATALOGUE[info.options.model].title}** is being trained")
    st.progress(info.fraction, text=_progress(info))
    rows = runs.read_log(folder)
    if rows:
        st.plotly_chart(
            charts.training_curves(
                [row.step for row in rows],
                [row.train_loss for row in rows],
                [row.val_loss for row in rows],
                [row.val_accuracy for row in rows],
                [row.fold for row in rows],
            ),
            key="curves",
            config=STILL,
            alt=charts.describe_training([row.val_accuracy for row in rows]),
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        asked = (folder / "stop").exists()
        st.button(
            "Stop",
            icon=":material/stop:",
            disabled=asked or not access.may(Role.ADMIN),
            on_click=attempt,
            args=(runs.stop_run, folder),
        )
        st.caption(
            "Stopping: it ends after this step."
            if asked
            else "It continues when you leave this page. When stopped, it can be continued later."
        )


def _progress(info: records.RunInfo) -> str:
    if info.state == records.STARTING:
        return "**Starting**"
    parts = [f"**{percent(info.fraction)}**", as_text(info.stage)]
    if _can_be_estimated(info):
        parts.append(duration(info.seconds * (1 - info.fraction) / info.fraction) + " left")
    return " · ".join(part for part in parts if part)


def _can_be_estimated(info: records.RunInfo) -> bool:
    """From the first fold on: before, most of the time went into preparing the samples."""
    networks = info.options.folds + 1 if info.options.folds > 1 else 2
    return info.fraction > min(0.1, 0.5 / networks)


@st.fragment(run_every=3.0)
def watch(dataset: Path, seen: tuple[tuple[str, str], ...]) -> None:
    """Rerun the page when another session or the terminal started or removed a training."""
    if states(dataset) != seen:
        st.rerun()


def states(dataset: Path) -> tuple[tuple[str, str], ...]:
    """Every training's id and state."""
    return tuple((info.id, info.state) for info in runs.list_runs(dataset))
