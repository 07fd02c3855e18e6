"""A page with only the player and a chart, for a clip with numbered frames.

Run by `test_player.py`; the folder of the clip comes in GYMFORM_TEST_CLIP.
"""

import json
import os
from pathlib import Path

import streamlit as st

from gymform.draw import charts
from gymform.draw.player import player_json
from pages.components.player.player import player, served
from tests import fakes

folder = Path(os.environ["GYMFORM_TEST_CLIP"])
pose = fakes.make_pose_at([float(t) for t in (folder / "times.txt").read_text().split()])
state = st.session_state
state.setdefault("turn", 0)
state.setdefault("frame", 0)


def jump() -> None:
    state.frame, state.turn = int(state.target), state.turn + 1


st.number_input("Go to frame", 0, len(pose) - 1, key="target", on_change=jump)
result = player(
    served(folder / "clip.mp4", "video/mp4", "video"),
    served(
        player_json(pose, fakes.make_tracks(pose), None, fakes.make_bar(len(pose))),
        "application/json",
        "poses",
    ),
    size=pose.image_size,
    seek=(state.frame, state.turn),
    repetitions=[(0.5, 2.0)],
    chart="trajectories",
    on_frame=lambda: None,
    on_pick=lambda: None,
    key="player",
)
st.plotly_chart(
    charts.trajectories(pose, fakes.make_tracks(pose), [9], ["y", "x"]), key="trajectories"
)
if result.frame:
    st.write(f"Page knows frame {result.frame['index']}")
if result.pick:
    st.write("Picked")
    st.code(json.dumps(result.pick))
