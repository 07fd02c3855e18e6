"""Shows the report of a training: a summary in words, then mistakes, tables and charts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import streamlit as st

from gymform.dataset.groups import UNCONFIRMED
from gymform.dataset.reviews import ReviewStore
from gymform.draw import report_charts as charts
from gymform.draw.charts import percent
from gymform.errors import GymformError
from gymform.exercise.networks.catalogue import CATALOGUE
from gymform.exercises import name_of, title_of
from gymform.text import shortened
from gymform.training.exercise import records, runs
from gymform.training.exercise.label_errors import label_errors
from pages.components.text import clock, count, plain
from pages.components.training import STILL

PARTS = {records.TEST: "Test", records.VALIDATION: "Validation", records.TRAIN: "Training"}

CONDITIONS = {"view": "View", "camera": "Camera", "coverage": "How much of the lifter was seen"}

UPRIGHT_WIDTH = 240
"""Width of a video that is taller than wide, px: about as tall as the matrix beside it."""

FEW = 100
"""With fewer test clips, the page says that the numbers are rough."""

WELL, ROUGHLY = 0.05, 0.1
"""Calibration errors up to which a confidence is well calibrated, or a rough guide."""


def show_report(report: records.TrainingReport, dataset: Path) -> None:
    """Show the report of a training on the data set in the folder ``dataset``."""
    test = report.parts[records.TEST]
    headline(report, test)
    confusion_and_mistakes(report, test, dataset)
    doubtful_labels(report, dataset)
    by_class(report)
    left, right = st.columns(2, gap="large")
    with left:
        calibration(test)
    with right:
        more_clips(report)
    conditions(report)
    details(report, dataset)


# -- in words --------------------------------------------------------------------------------


def headline(report: records.TrainingReport, test: records.Part) -> None:
    """The numbers to quote, as sentences and as metrics."""
    with st.container(border=True):
        st.markdown("\n".join(f"- {line}" for line in summary(report, test)))
        with st.container(horizontal=True, gap="medium"):
            st.metric("Accuracy", percent(test.accuracy), width=130)
            lowest = percent(test.lowest_recall) if test.clips else "–"
            st.metric("Lowest recall", lowest, width=130)
            st.metric("Macro F1", f"{test.macro.f1:.3f}", width=130)
            st.metric("Calibration error", f"{test.ece:.3f}", width=130)


def summary(report: records.TrainingReport, test: records.Part) -> list[str]:
    """How good the model is, in sentences."""
    if not test.clips:
        return ["No clip was left to test on: nothing is known about how good this model is."]
    low, up = charts.wilson(test.accuracy * test.clips, test.clips)
    apart = "of people and sources it had never seen" if report.people_apart else "held out"
    lines = [
        f"**Right in {percent(test.accuracy)}** of {count(test.clips, 'clip')} {apart}; with "
        f"other clips, anything from {percent(low)} to {percent(up)} is likely (95 % interval)."
    ]
    if report.unconfirmed is None:
        lines.append(records.NOT_RECORDED)
    elif report.unconfirmed:
        of = f"{report.unconfirmed:,} of {sum(report.clips.values()):,} repetitions"
        lines.append(f"**{UNCONFIRMED}** That is so for {of}.")
    if report.started_from:
        lines.append(records.started(report.started_from))
    if report.disputed:
        lines.append(
            f"{count(report.disputed, 'repetition')} left out: reviewers disagreed about them."
        )
    common = max(test.rows, key=lambda row: row.support)
    lines.append(
        f"Always saying “{_name(common.name)}” would be right in "
        f"{percent(common.support / test.clips)}."
    )
    worst = min((row for row in test.rows if row.support), key=lambda row: row.recall)
    if worst.recall < 1:
        lines.append(
            f"**Hardest: {_name(worst.name)}**, recognised in {percent(worst.recall)} of "
            f"{count(worst.support, 'clip')}. {_taken_for(worst, test, report.classes)}"
        )
    else:
        lines.append("No exercise was ever missed.")
    lines.append(_calibration_in_words(test))
    if test.clips < FEW:
        lines.append("So few clips make rough numbers: a few more may change them much.")
    return lines


def _taken_for(worst: records.ClassRow, test: records.Part, classes: tuple[str, ...]) -> str:
    """What the hardest exercise is mistaken for most often."""
    row = test.confusion[classes.index(worst.name)]
    wrong = {name: n for name, n in zip(classes, row, strict=True) if name != worst.name}
    most = max(wrong, key=lambda name: wrong[name])
    return f"It is mistaken most often for {_name(most)}." if wrong[most] else ""


def _calibration_in_words(test: records.Part) -> str:
    """Whether its confidence can be trusted."""
    off = f"it is off by {percent(test.ece)} on average"
    if test.ece <= WELL:
        return f"Its confidence can be trusted: {off}."
    if test.ece <= ROUGHLY:
        return f"Its confidence is a rough guide: {off}."
    bins = zip(test.reliability.confidence, test.reliability.counts, strict=True)
    sure = sum(value * n for value, n in bins) / max(1, test.clips)
    which = "overconfident" if sure > test.accuracy else "underconfident"
    return f"Its confidence should not be trusted: it is {which}, {off}."


def _name(name: str) -> str:
    return plain(name_of(name))


# -- what is mistaken for what ---------------------------------------------------------------


@st.fragment
def confusion_and_mistakes(
    report: records.TrainingReport, test: records.Part, dataset: Path
) -> None:
    """The matrix beside the list of mistakes: a click on a cell narrows the list to it."""
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("##### What is mistaken for what")
        key = f"confusion-{report.run}"
        st.plotly_chart(
            charts.confusion(report.classes, test.confusion),
            key=key,
            on_select="rerun",
            selection_mode="points",
            config=STILL,
            alt=charts.describe_confusion(report.classes, test.confusion),
        )
        st.caption("Rows: what it is. Columns: what the model says. Click a cell for its clips.")
    with right:
        mistakes(report, dataset, _cell(st.session_state.get(key), report.classes))


def _cell(state: Any, classes: tuple[str, ...]) -> tuple[str, str] | None:
    """(true class, predicted class) of the clicked cell."""
    points = state.selection.points if state else []
    if not points:
        return None
    true, predicted = points[0]["customdata"]
    return classes[true], classes[predicted]


def mistakes(report: records.TrainingReport, dataset: Path, cell: tuple[str, str] | None) -> None:
    """The wrong predictions, or those in one cell, most confident first; the chosen one plays."""
    if cell:
        title = f"{title_of(cell[0])} taken for {title_of(cell[1]).lower()}"
        shown = [one for one in report.answers if (one.truth, one.answer) == cell]
        if cell[0] == cell[1]:
            title = f"{title_of(cell[0])}, recognised"
        shown.sort(key=lambda one: (-one.confidence, one.item_id))
    else:
        title, shown = "Mistakes, most confident first", list(report.mistakes)
    st.markdown(f"##### {plain(title)}")
    if not shown:
        nothing = "No clip is in this cell." if cell else "It made no mistake on the test clips."
        st.info(nothing, icon=":material/check:")
        return
    chosen = st.dataframe(
        [
            {
                "Clip": one.name,
                "Shows": title_of(one.truth),
                "Predicted": title_of(one.answer),
                "Confidence": 100 * one.confidence,
            }
            for one in shown
        ],
        key=f"mistakes-{report.run}-{cell}",
        on_select="rerun",
        selection_mode="single-row-required",
        hide_index=True,
        height=min(36 * (len(shown) + 1), 218),
        column_config={
            "Confidence": st.column_config.NumberColumn(format="%.0f %%", width="small")
        },
    )
    rows = chosen.selection.rows
    watch_clip(shown[rows[0] if rows and rows[0] < len(shown) else 0], dataset)


@st.fragment
def doubtful_labels(report: records.TrainingReport, dataset: Path) -> None:
    """The labels that the model finds wrong, with the clip beside; nothing when there are none."""
    errors = label_errors(report)
    if not errors:
        return
    st.markdown("##### Labels to look at again")
    st.caption(
        "Networks that never saw these clips are surer of another exercise than of the label."
    )
    left, right = st.columns(2, gap="large")
    with left:
        chosen = st.dataframe(
            [
                {
                    "Clip": one.item.name,
                    "Label": title_of(one.item.truth),
                    "May be": title_of(one.suggests),
                }
                for one in errors
            ],
            key=f"labels-{report.run}",
            on_select="rerun",
            selection_mode="single-row-required",
            hide_index=True,
            height=min(36 * (len(errors) + 1), 218),
        )
        rows = chosen.selection.rows
        one = errors[rows[0] if rows and rows[0] < len(errors) else 0].item
        st.page_link(
            "pages/review.py",
            label="Relabel it in Review",
            icon=":material/edit:",
            query_params={"dataset": dataset.name, "item": one.item_id},
        )
    with right:
        watch_clip(one, dataset)


def watch_clip(chosen: records.TestPrediction, dataset: Path) -> None:
    """The clip of a prediction with its skeleton, from start to end of the repetition."""
    try:
        with ReviewStore.open(dataset) as store:
            item = store.get(chosen.item_id).item
            clip = store.clip(item.clip_sha256)
            video = store.files.proxy(clip.sha256)
            if not video.is_file():
                video = store.files.clip(clip)
    except GymformError:
        st.info("This clip is no longer in the data set.", icon=":material/movie_off:")
        return
    if not video.is_file():
        st.info("The video of this clip is no longer there.", icon=":material/movie_off:")
        return
    st.video(
        video,
        start_time=int(item.start_s),  # the player takes whole seconds only
        end_time=int(item.end_s) + 1,
        loop=True,
        muted=True,
        width=UPRIGHT_WIDTH if clip.height > clip.width else "stretch",
        alt=f"{shortened(chosen.name)}, with the skeleton drawn over it.",
    )
    st.caption(
        f"{plain(chosen.name)}: {item.start_s:.1f} to {item.end_s:.1f} s. "
        f"The right class got {percent(chosen.truth_probability)}."
    )


# -- class by class --------------------------------------------------------------------------


@st.fragment
def by_class(report: records.TrainingReport) -> None:
    """The classification report of one part of the data, as a table and as bars."""
    st.markdown("##### Exercise by exercise")
    name = st.segmented_control(
        "Part of the data",
        [part for part in PARTS if part in report.parts],
        default=records.TEST,
        required=True,
        format_func=PARTS.__getitem__,
        key=f"part-{report.run}",
        label_visibility="collapsed",
    )
    part = report.parts[name or records.TEST]
    if not part.clips:
        st.info("There were no clips in this part.", icon=":material/info:")
        return
    left, right = st.columns(2, gap="large")
    with left:
        st.dataframe(
            report_table(part),
            hide_index=True,
            column_config={
                title: st.column_config.NumberColumn(format="%.3f")
                for title in ("Precision", "Recall", "F1")
            },
        )
        st.caption(_about(name or records.TEST, part, report.folds))
    with right:
        st.plotly_chart(
            charts.class_bars(
                [row.name for row in part.rows],
                [row.precision for row in part.rows],
                [row.recall for row in part.rows],
                [row.f1 for row in part.rows],
            ),
            key=f"class-bars-{report.run}",
            config=STILL,
            alt="Bars of precision, recall and F1 of every exercise, as in the table.",
        )


def report_table(part: records.Part) -> list[dict[str, Any]]:
    """The usual classification report as rows."""
    rows: Iterable[tuple[str, records.ClassRow | records.Averages, int]] = [
        *((title_of(row.name), row, row.support) for row in part.rows),
        ("Macro average", part.macro, part.clips),
        ("Weighted average", part.weighted, part.clips),
    ]
    return [
        {"Exercise": name, "Precision": x.precision, "Recall": x.recall, "F1": x.f1, "Clips": n}
        for name, x, n in rows
    ]


def _about(name: str, part: records.Part, folds: int) -> str:
    """How far to trust the numbers of a part of the data."""
    accuracy = f"Accuracy {percent(part.accuracy)} of {count(part.clips, 'clip')}. "
    if name == records.TEST:
        how = f"in one of {folds} folds" if folds > 1 else "once"
        return accuracy + f"Tested {how}, by a network that saw nothing of the clip's group."
    if name == records.VALIDATION:
        return accuracy + "The training was monitored on these: a little too optimistic to quote."
    return (
        accuracy
        + "The network was trained on these: much better than on the test clips means overfitting."
    )


# -- calibration, learning curve, conditions -------------------------------------------------


def calibration(test: records.Part) -> None:
    """How often it is right at each level of confidence."""
    st.markdown("##### Is its confidence right?")
    st.plotly_chart(
        charts.reliability(
            test.reliability.confidence, test.reliability.accuracy, test.reliability.counts
        ),
        key="reliability",
        config=STILL,
        alt=f"Reliability diagram; expected calibration error {test.ece:.3f}.",
    )
    st.caption("Points below the line: overconfident. The bars are 95 % intervals.")


def more_clips(report: records.TrainingReport) -> None:
    """Accuracy by the number of clips trained on."""
    st.markdown("##### Would more clips help?")
    points = report.learning_curve
    if not points:
        st.info(
            "Not measured. Switch on “Learning curve” in the options of a training to see it.",
            icon=":material/show_chart:",
        )
        return
    st.plotly_chart(
        charts.learning_curve(
            [point.clips for point in points],
            [point.train_accuracy for point in points],
            [point.test_accuracy for point in points],
            [point.test_clips for point in points],
        ),
        key="learning-curve",
        config=STILL,
        alt="Learning curve: "
        + ", ".join(f"{point.clips} clips {percent(point.test_accuracy)}" for point in points),
    )
    st.caption(_trend(points))


def _trend(points: tuple[records.CurvePoint, ...]) -> str:
    """What the last step of the learning curve suggests."""
    if len(points) < 2:
        return "The band is the 95 % interval."
    before, last = points[-2], points[-1]
    gain = last.test_accuracy - before.test_accuracy
    if gain >= 0.02:
        return f"The last step brought {100 * gain:.0f} points more: more clips are likely to help."
    return "The curve has become flat: more clips of the same kind may not help much."


def conditions(report: records.TrainingReport) -> None:
    """Accuracy by how the clips were filmed."""
    found = list(dict.fromkeys(one.condition for one in report.slices))
    if not found:
        return
    st.markdown("##### Where it is weaker")
    for column, condition in zip(st.columns(len(found), gap="large"), found, strict=True):
        parts = {
            one.value: (one.accuracy, one.clips)
            for one in report.slices
            if one.condition == condition
        }
        with column:
            st.markdown(f":gray[{plain(CONDITIONS.get(condition, title_of(condition)))}]")
            st.plotly_chart(
                charts.accuracy_bars(parts),
                key=f"slice-{condition}",
                config=STILL,
                alt=charts.describe_accuracy(parts),
            )
    st.caption(
        "Accuracy on test clips (how many). The bars are 95 % intervals: two that overlap much may "
        "be the same."
    )


def details(report: records.TrainingReport, dataset: Path) -> None:
    """How the model was trained, so that it can be repeated, and the report as files."""
    folder = runs.runs_dir(dataset) / report.run
    with st.expander("Details", icon=":material/receipt_long:"):
        st.markdown(
            f"- **Model** {CATALOGUE[report.model].title}, {report.parameters:,} parameters, "
            f"{report.timing.ms_per_clip:.1f} ms a clip\n"
            f"- **Training** {clock(report.timing.training_s)} for {report.folds} folds of "
            f"{report.steps} steps, seed {report.seed}, temperature {report.temperature:.3f}\n"
            f"- **Data** {_data(report)}"
        )
        st.code(report.command, language="shell", wrap_lines=True)
        with st.container(horizontal=True):
            for label, name, mime in (
                ("Report (Markdown)", "report.md", "text/markdown"),
                ("Report (JSON)", "report.json", "application/json"),
                ("Weights", "model.safetensors", "application/octet-stream"),
            ):
                if (folder / name).is_file():
                    st.download_button(
                        label,
                        data=(folder / name).read_bytes,
                        file_name=f"{report.run}.{name}",
                        mime=mime,
                        icon=":material/download:",
                        on_click="ignore",
                    )


def _data(report: records.TrainingReport) -> str:
    return ", ".join(
        f"{_name(name)} {n} from {count(report.groups.get(name, 0), 'group')}"
        for name, n in report.clips.items()
    )
