"""Scores that equal the share of correct joints."""

import numpy as np
import pytest

from gymform.pose.crops import cut_crop
from gymform.pose.estimator import PoseEstimator
from gymform.training.pose.evaluate import evaluate, fit_score_power
from gymform.training.pose.packs import split
from tests.pose.packs import people
from tests.pose.painted import dot_model, watch_crops


class Guesser:
    """Correct with a probability that is a power of its heatmap's peak, else half a crop off."""

    padding = 1.25
    cut = staticmethod(cut_crop)

    def __init__(self, pack, power):
        self.pack, self.power, self.row = pack, power, 0
        self.random = np.random.default_rng(0)

    def keypoints_in_crops(self, pixels, crops):
        rows = slice(self.row, self.row + len(crops))
        self.row += len(crops)
        found = self.pack.keypoints[rows, :, :2].copy()
        peaks = self.random.uniform(0.05, 0.95, found.shape[:2])
        wrong = self.random.uniform(size=peaks.shape) > peaks**self.power
        found[wrong] += 100
        return found, peaks


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_power_by_which_peaks_become_probabilities_is_found(power):
    pack = people(200, "lspet", ["g"] * 200)
    found = fit_score_power(Guesser(pack, power), pack, {"all": np.arange(200)})
    assert found == pytest.approx(power, rel=0.12)


def test_a_network_sees_crops_of_its_own_padding(monkeypatch):
    pack, seen = people(3, "coco_subset", ["a", "b", "c"]), []
    for model in (dot_model(), dot_model(padding=1.1)):
        estimator = PoseEstimator(model)
        asked = watch_crops(estimator, monkeypatch)
        assert evaluate(estimator, pack, np.arange(3)).pck == 1
        seen += asked
    usual, closer = seen
    np.testing.assert_allclose(closer[:, 2:], usual[:, 2:] * 1.1 / 1.25)
    np.testing.assert_allclose(closer[:, :2], usual[:, :2])


def test_a_network_that_sees_the_dots_is_found_perfect(pack):
    rows = split(pack)[1]["coco_val2017"]
    scores = evaluate(PoseEstimator(dot_model(), batch_size=4), pack, rows)
    assert scores.people == 4
    assert scores.pck > 0.95
    assert scores.oks > 0.7
