"""Shows an analysis: the exercise, the clip with its skeleton, trajectories, form, files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from gymform import skeleton
from gymform.analysis import TOTAL, Analysis
from gymform.analysis_io import Artifacts, load
from gymform.analysis_report import report
from gymform.draw import charts
from gymform.draw.focus import focus_of, loop_around
from gymform.draw.player import player_json
from gymform.errors import GymformError
from gymform.exercise import explain
from gymform.exercises import name_of, title_of
from gymform.form.cues import level_of
from gymform.form.verdict import verdict_line
from gymform.movement_patterns import shown_title
from gymform.service import analysis_worker as worker
from gymform.service.analysis_worker import PROXY, STEM
from gymform.service.summary import picture_of, read_summary
from gymform.storage import disk_problem
from gymform.text import file_stem
from gymform.types import OTHER, UNKNOWN, Cue, Prediction, Provenance, Target
from pages.components.bar import ASKED, Again, show_bar
from pages.components.form import show_cues, show_measures, show_pull, show_set
from pages.components.nearest import show_nearest
from pages.components.player.player import player, served
from pages.components.text import as_text, plain

CHART_CONFIG = {"displayModeBar": False}
COLUMNS = [1, 1]
PLAYER_COLUMNS = [3, 2]
STRIP_WIDTH = 118
TALL_CM = (80, 250)
STYLE = Path(__file__).parents[1] / "assets" / "result.css"
UPRIGHT_WIDTH = 360
STILL_CONFIG = {"displayModeBar": False}

SEEN = {
    "good": ":material/check_circle: well",
    "fair": ":material/error: fairly",
    "poor": ":material/warning: badly",
}
"""How well the lifter was seen, by the level of the pose quality."""


@st.cache_resource(max_entries=16, show_spinner=False)
def load_result(folder: Path) -> Analysis:
    """The finished analysis in ``folder``, cached. Raises PoseFileError."""
    return load(folder, STEM)


def show_result(result: Analysis, folder: Path, name: str, *, again: Again | None) -> None:
    """Show an analysis, whose files are in ``folder``, of the clip that is called ``name``.

    The most important comes first: the answer in a line, the film with the remarks beside it, the
    repetitions. ``again`` is None for somebody who may only look.
    """
    st.html(STYLE)
    verdict(result)
    for problem in result.clip.problems:
        st.warning(as_text(problem), icon=":material/warning:")
    motion(folder, result, again)
    show_prediction(result)
    left, right = st.columns(COLUMNS, gap="large")
    with left:
        annotated_video(result, folder)
    with right:
        trust(result)
    downloads(result, folder, Path(name).stem)
    details(result)


def verdict(result: Analysis) -> None:
    """The answer in one line: exercise, repetitions, and what was good or not."""
    exercise, _, found = verdict_line(result.form).partition(": ")
    exercise = exercise.replace(title_of(UNKNOWN), shown_title(result.prediction), 1)
    st.markdown(f"# {plain(exercise)}")
    if result.form.variant:
        st.markdown(f"**{plain(result.form.variant)}**")
    if found:
        with st.container(key="verdict"):
            st.markdown(f"**{plain(found[0].upper() + found[1:], 300)}**")
    seen = SEEN[level_of(result.quality, result.form)]
    st.caption(f"{plain(_sure(result.prediction))} · Seen: {seen}. {plain(_seen(result))}")
    if result.prediction.reason:
        st.info(as_text(result.prediction.reason), icon=":material/info:")


@st.cache_data(max_entries=16, show_spinner=False)
def player_data(folder: Path) -> bytes:
    """What the player shows of the analysis in ``folder``, cached: JSON."""
    result = load_result(folder)
    return player_json(result.pose, result.tracks, result.form, result.bar)


def in_short(result: Analysis) -> str:
    """The answer as markdown on one line."""
    return plain(verdict_line(result.form), 300)


# -- the prediction --------------------------------------------------------------------------


def show_prediction(result: Analysis) -> None:
    """How likely each exercise is, and what that rests on; folded, since few ask for it."""
    prediction = result.prediction
    with st.expander("Why this exercise", icon=":material/psychology:"):
        st.plotly_chart(
            charts.probabilities(prediction),
            key="probabilities",
            config=STILL_CONFIG,
            alt=charts.describe_probabilities(prediction),
        )
        show_nearest(prediction)
        if prediction.ablations:
            why(prediction)


def why(prediction: Prediction) -> None:
    """Which parts of the body the prediction depends on, and the prediction for each repetition."""
    st.markdown(_basis(prediction))
    st.caption(
        "Tested on the same movement with one part of the body kept still. It shows what the "
        "classifier relies on, not what makes a good lift."
    )
    if len(prediction.windows) > 1:
        st.markdown("The whole clip, and each repetition by itself:")
        st.dataframe(_stretches(prediction), hide_index=True)


def _basis(prediction: Prediction) -> str:
    """The parts of the body whose movement decides, in words."""
    name = plain(name_of(prediction.likeliest()))
    found = explain.reasons(prediction)
    if not found:
        return f"No part of the body decides alone: with any of them kept still it stays {name}."
    lines = []
    for reason in found:
        instead = plain(name_of(reason.instead))
        rest = "" if instead == name else f", and {instead} would be likelier"
        share = charts.percent(reason.probability)
        lines.append(f"- With the **{reason.part}** kept still, {name} would be at {share}{rest}.")
    return "\n".join(lines)


def _stretches(prediction: Prediction) -> dict[str, list[str]]:
    """A table of columns: when, what is likeliest there, and how likely."""
    windows = prediction.windows
    return {
        "From": [f"{window.start_s:.1f} s" for window in windows],
        "To": [f"{window.end_s:.1f} s" for window in windows],
        "Likeliest": [name_of(prediction.likeliest(w.probabilities)) for w in windows],
        "Probability": [charts.percent(max(window.probabilities)) for window in windows],
    }


def _sure(prediction: Prediction) -> str:
    """How sure the exercise is, in words."""
    if prediction.label == UNKNOWN:
        return "Too uncertain to say which exercise"
    none = ", none of the exercises that gymform knows" if prediction.label == OTHER else ""
    return f"{charts.percent(prediction.confidence)} sure{none}"


def _seen(result: Analysis) -> str:
    """The person followed, in a sentence."""
    share = charts.percent(result.quality.coverage)
    return f"Followed in {share} of {len(result.pose)} frames."


# -- the clip and the trajectories, linked to each other --------------------------------------


@st.fragment
def motion(folder: Path, result: Analysis, again: Again | None) -> None:
    """The player with the remarks beside it, the repetitions, and the charts, all linked."""
    state = st.session_state
    if state.pop(ASKED, False):
        st.rerun()
    if state.get("shown") != folder.name:  # another result: start at its first frame
        state.shown, state.frame, state.clicked = folder.name, 0, 0
        state.loop, state.focus = None, ""
        state.turn = state.get("turn", 0) + 1
    left, right = st.columns(PLAYER_COLUMNS, gap="large")
    with left:
        picked = _show_player(folder, result)
    with right:
        show_cues(result.form, partial(_see, result))
    _strip(folder, result)
    show_measures(result.form)
    show_pull(result.form)
    show_set(result.form)
    show_bar(result, partial(_see_repetition, result), again)
    _charts(result)
    if picked and again:
        if picked["plate"]:
            x, y, radius = picked["plate"]
            again.plate((picked["time_s"], x, y, radius))
        else:
            again.person(_target(picked))
        st.rerun()


def _go_to(frame: int, loop: tuple[float, float] | None = None, focus: str = "") -> None:
    """Move the player to a frame; with ``loop`` it plays those seconds again and again."""
    state = st.session_state
    state.frame, state.turn, state.loop, state.focus = frame, state.turn + 1, loop, focus


def _see(result: Analysis, cue: Cue) -> None:
    """Play the moment of a remark slowly, with what it is about drawn in."""
    end_s = float(result.pose.time_s[-1])
    loop = loop_around(cue.at_s, end_s, result.slow_motion)
    _go_to(charts.nearest_frame(result.pose, cue.at_s), loop, focus_of(cue.key, result.form.turned))


def _strip(folder: Path, result: Analysis) -> None:
    """A picture of each repetition at its main moment, and a button that plays it."""
    summary = read_summary(folder).get("repetitions", [])
    if not summary:
        return
    st.markdown("## Repetitions")
    with st.container(horizontal=True, key="strip"):
        for number, rep in enumerate(summary):
            with st.container(width=STRIP_WIDTH):
                picture = folder / picture_of(number)
                if picture.is_file():
                    st.image(str(picture), alt=f"Repetition {number + 1}, {rep['main']}")
                st.button(
                    f"{number + 1}. {rep['moments'][rep['main']]:.1f} s",
                    key=f"repetition-{number}",
                    help=f"Show the {rep['main']} of this repetition in the player.",
                    on_click=_see_repetition,
                    args=(result, rep["moments"][rep["main"]]),
                    width="stretch",
                )


def _see_repetition(result: Analysis, at_s: float) -> None:
    _go_to(charts.nearest_frame(result.pose, at_s))


def _charts(result: Analysis) -> None:
    """The charts of the joints with a table of their values; folded on a phone."""
    with st.expander("Charts", icon=":material/show_chart:", expanded=not on_phone()):
        unit, height_cm = _unit()
        joints = _show_trajectories(result, unit, height_cm)
        if joints:
            _show_values(result, joints, unit, height_cm)


def _unit() -> tuple[str, float | None]:
    """The unit of lengths that was chosen, and how tall the lifter is, which cm need."""
    unit = st.segmented_control(
        "Lengths in",
        list(charts.UNITS),
        default=charts.BODY,
        format_func=charts.UNITS.__getitem__,
        key="unit",
        persist_state="session",
    )
    if unit != charts.CM:
        return unit or charts.BODY, None
    height_cm = st.number_input(
        "Height of the lifter, cm",
        TALL_CM[0],
        TALL_CM[1],
        value=None,
        step=1,
        key="height_cm",
        persist_state="session",
        placeholder="such as 175",
        help="A picture alone has no scale. From the height, lengths in the lifter's plane follow.",
    )
    if height_cm is None:
        st.caption("Say how tall the lifter is to see cm. Until then lengths are in body heights.")
    return charts.CM, height_cm


def _show_player(folder: Path, result: Analysis) -> Mapping[str, Any] | None:
    """Show the player; what the user picked in it, if anything."""
    state = st.session_state

    def rested() -> None:
        state.frame = min(state.player.frame["index"], len(result.pose) - 1)

    shown = player(
        served(folder / PROXY, "video/mp4", "clip"),
        served(player_data(folder), "application/json", "keypoints"),
        size=result.pose.image_size,
        seek=(state.frame, state.turn),
        loop=state.loop,
        focus=state.focus,
        repetitions=_repetitions(result),
        chart="trajectories",
        on_frame=rested,
        on_pick=lambda: None,
        key="player",
    )
    return shown.pick or None


def _target(pick: Mapping[str, Any]) -> Target:
    """The target that the player sent, checked."""
    if pick["box"]:
        x, y, width, height = pick["box"]
        return Target(pick["time_s"], box=(x, y, width, height))
    x, y = pick["point"]
    return Target(pick["time_s"], point=(x, y))


def _show_trajectories(result: Analysis, unit: str, height_cm: float | None) -> list[int]:
    """Show charts of the chosen quantities and joints; the joints chosen."""
    state = st.session_state
    quantities = st.pills(
        "Show",
        list(charts.QUANTITIES),
        selection_mode="multi",
        default=["y", "x", "speed"],
        format_func=charts.QUANTITIES.__getitem__,
        key="quantities",
        persist_state="session",
        label_visibility="collapsed",
    )
    joints = st.multiselect(
        "Joints",
        range(skeleton.NUM_KEYPOINTS),
        default=charts.default_joints(result.pose),
        format_func=charts.joint_name,
        key=f"joints-{state.shown}",
        placeholder="Choose joints",
        label_visibility="collapsed",
    )
    if not quantities or not joints:
        st.info("Choose at least one joint and one quantity.", icon=":material/touch_app:")
        return joints

    def clicked() -> None:
        points = state.trajectories.selection.points
        if points:
            state.clicked = charts.nearest_frame(result.pose, points[0]["x"])
        # A second click on the same point deselects it, but should still move the player there.
        _go_to(state.clicked)

    st.plotly_chart(
        charts.trajectories(
            result.pose,
            result.tracks,
            joints,
            quantities,
            windows=_repetitions(result),
            unit=unit,
            height_cm=height_cm,
        ),
        key="trajectories",
        on_select=clicked,
        selection_mode="points",
        config=CHART_CONFIG,
        alt=charts.describe_trajectories(joints, quantities),
    )
    st.caption(
        "Click a point to see its frame. Faint lines: as the network saw it; bold lines: cleaned."
    )
    return joints


def _show_values(result: Analysis, joints: list[int], unit: str, height_cm: float | None) -> None:
    """A table of the charts' values at the player's frame."""
    frame = st.session_state.frame
    st.caption(f"Values at {result.pose.time_s[frame]:.2f} s, in frame {frame + 1}")
    values = charts.values_at(
        result.pose, result.tracks, joints, frame, unit=unit, height_cm=height_cm
    )
    st.dataframe(values, hide_index=True)


def on_phone() -> bool:
    """Whether the browser says that it runs on a phone."""
    return "Mobi" in (st.context.headers.get("User-Agent") or "")


def _repetitions(result: Analysis) -> list[tuple[float, float]]:
    reps = result.form.repetitions or result.prediction.windows
    return [(one.start_s, one.end_s) for one in reps]


# -- the video, how far to trust it, and downloads -----------------------------------------


def annotated_video(result: Analysis, folder: Path) -> None:
    """The overlay as a plain video, drawn when somebody asks for it; an upright one is narrow."""
    st.markdown("## Annotated video")
    path = Artifacts.of(folder, STEM).overlay
    if not path.is_file():
        st.caption("The clip as a video with the skeleton in it, to keep or to send.")
        if not st.button("Draw the video", icon=":material/movie:", key="draw_video"):
            return
        with st.spinner("Drawing the skeleton into every frame …"):
            try:
                worker.annotated_video(result, folder)
            except (GymformError, OSError) as error:
                st.error(as_text(_why_not_drawn(error)), icon=":material/error:")
                return
    st.video(
        path,
        alt="The clip with the lifter's skeleton and box drawn over every frame.",
        width=UPRIGHT_WIDTH if result.clip.height > result.clip.width else "stretch",
    )


def _why_not_drawn(error: GymformError | OSError) -> str:
    return disk_problem(error) if isinstance(error, OSError) else str(error)


def trust(result: Analysis) -> None:
    """The measures of pose quality, its notes, and every joint's confidence."""
    quality = result.quality
    st.markdown("## How far to trust it")
    first, second, third = st.columns(3)
    first.metric("Pose quality", f"{100 * quality.score:.0f} / 100")
    second.metric("Mean confidence", f"{quality.mean_confidence:.2f}")
    third.metric("Body joints missing", charts.percent(quality.missing))
    for note in quality.notes:
        st.markdown(f":material/info: {as_text(note)}")
    if not quality.notes:
        st.markdown(":material/check: No remarks.")
    with st.expander("Confidence of every joint over time", icon=":material/grid_on:"):
        st.plotly_chart(
            charts.confidence_map(result.pose),
            key="confidence",
            config=STILL_CONFIG,
            alt="Heat map of the score of each of 17 keypoints over time.",
        )


def downloads(result: Analysis, folder: Path, stem: str) -> None:
    """A download button for each file; what it holds is made and read only when it is clicked."""
    files = Artifacts.of(folder, STEM)

    def video() -> bytes:
        return worker.annotated_video(result, folder).read_bytes()

    def page() -> bytes:
        return report(result, folder / PROXY, name=Path(stem).name).encode()

    st.markdown("## Downloads")
    poses, table, answer = (path.read_bytes for path in (files.poses, files.csv, files.json))
    offers = (
        ("Annotated video", video, "video/mp4", ".annotated.mp4", ":material/movie:"),
        ("Report (HTML, prints)", page, "text/html", ".report.html", ":material/description:"),
        ("Keypoints (.npz)", poses, "application/octet-stream", ".npz", ":material/hub:"),
        ("Trajectories (CSV)", table, "text/csv", ".csv", ":material/table:"),
        ("Everything (JSON)", answer, "application/json", ".json", ":material/data_object:"),
    )
    columns = [*st.columns(3), *st.columns(3)][: len(offers)]
    for column, (label, data, mime, suffix, icon) in zip(columns, offers, strict=True):
        column.download_button(
            label,
            data=data,
            file_name=file_stem(stem, len(suffix)) + suffix,
            mime=mime,
            icon=icon,
            on_click="ignore",
            width="stretch",
        )


def details(result: Analysis) -> None:
    """The clip, the models and the time that the analysis took."""
    clip, origin = result.clip, result.pose.provenance
    with st.expander("Details", icon=":material/receipt_long:"):
        st.markdown(
            f"- **Clip** {clip.width} × {clip.height} px, {clip.duration_s:.2f} s, "
            f"{clip.frames} frames, {clip.fps:.2f} a second, {plain(clip.codec.upper())}\n"
            f"- **Pose model** {plain(origin.network)}, weights `{origin.weights_sha256[:12]}`, "
            f"flip test {'on' if origin.flip_test else 'off'}{_computed(origin)}\n"
            f"- **Frames** {result.looked_at}\n"
            f"- **Exercise model** weights `{result.prediction.model_sha256[:12]}`\n"
            f"- **Time** {_times(result.seconds)}"
        )


def _computed(origin: Provenance) -> str:
    """By what the pose model was computed, and which one went ahead."""
    engine = f", computed by {plain(origin.engine)}" if origin.engine else ""
    return f"{engine}, {plain(origin.scout)} ahead of it" if origin.scout else engine


def _times(seconds: Mapping[str, float]) -> str:
    """The time by the clock, and of each stage; older results know only the stages."""
    parts = ", ".join(
        f"{stage} {spent:.1f} s" for stage, spent in seconds.items() if stage != TOTAL
    )
    return f"{seconds[TOTAL]:.1f} s in all ({parts})" if TOTAL in seconds else parts
