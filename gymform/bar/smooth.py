"""Smooth positions over true time stamps: Kalman filter and smoother of Rauch, Tung and Striebel.

H. Rauch, F. Tung, C. Striebel, "Maximum likelihood estimates of linear dynamic systems", AIAA
Journal 3 (1965). The model is a point whose acceleration drifts: white jerk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

GATE = 4.0
"""Observations farther than this from what is expected, in standard deviations, are left out."""

_START = np.array([1e3, 1e3, 1e3]) ** 2


@dataclass(frozen=True, eq=False)
class Smoothed:
    """``position``, ``velocity`` (T, D) in units and units a second; ``used`` bool (T,)."""

    position: np.ndarray
    velocity: np.ndarray
    used: np.ndarray


def smooth_positions(
    time_s: np.ndarray, observed: np.ndarray, sigma: np.ndarray, jerk: float
) -> Smoothed:
    """The smoothest likely path through ``observed`` (T, D), NaN where nothing was seen.

    ``sigma`` (T,) is the standard deviation of each observation, ``jerk`` the square root of the
    jerk's spectral density, units / s^2.5. All axes share one filter. What is beyond the gate is
    left out, in ``used`` false, and bridged as a gap.
    """
    steps = np.diff(time_s, prepend=time_s[0])
    count, axes = observed.shape
    before, after = np.zeros((count, 3, axes)), np.zeros((count, 3, axes))
    cov_before, cov_after = np.zeros((count, 3, 3)), np.zeros((count, 3, 3))
    used = np.zeros(count, bool)
    state, cov = _start(observed), np.diag(_START)
    for i in range(count):
        move, noise = _model(steps[i], jerk)
        state, cov = move @ state, move @ cov @ move.T + noise
        before[i], cov_before[i] = state, cov
        miss = observed[i] - state[0]
        spread = cov[0, 0] + sigma[i] ** 2
        used[i] = bool(np.isfinite(miss).all() and (miss**2).sum() <= GATE**2 * axes * spread)
        if used[i]:
            gain = cov[:, :1] / spread
            state = state + gain * miss
            cov = cov - gain @ cov[:1]
        after[i], cov_after[i] = state, cov
    states = _backward(steps, jerk, (before, after), (cov_before, cov_after))
    return Smoothed(states[:, 0], states[:, 1], used)


def _start(observed: np.ndarray) -> np.ndarray:
    """The state (3, D) before the first observation: there, at rest."""
    known = np.flatnonzero(np.isfinite(observed).all(-1))
    first = observed[known[0]] if len(known) else np.zeros(observed.shape[1])
    return np.stack([first, np.zeros_like(first), np.zeros_like(first)])


def _model(step_s: float, jerk: float) -> tuple[np.ndarray, np.ndarray]:
    """Transition (3, 3) and noise (3, 3) over a step."""
    t = step_s
    move = np.array([[1, t, t * t / 2], [0, 1, t], [0, 0, 1]])
    noise = np.array([
        [t**5 / 20, t**4 / 8, t**3 / 6], [t**4 / 8, t**3 / 3, t**2 / 2], [t**3 / 6, t**2 / 2, t]
    ])  # fmt: skip
    return move, jerk**2 * noise


def _backward(
    steps: np.ndarray,
    jerk: float,
    states: tuple[np.ndarray, np.ndarray],
    covs: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """The smoothed states (T, 3, D)."""
    before, out = states[0], states[1].copy()
    for i in range(len(out) - 2, -1, -1):
        move, _ = _model(steps[i + 1], jerk)
        gain = np.linalg.solve(covs[0][i + 1], move @ covs[1][i]).T
        out[i] = out[i] + gain @ (out[i + 1] - before[i + 1])
    return out
