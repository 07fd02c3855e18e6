"""Packs of painted people: a coloured dot for each joint, so that pixels tell where joints are."""

import numpy as np

from gymform.training.pose.packs import CropPack, join, make_pack
from tests.pose.painted import paint, person_at

SIZE = (144, 192)
"""Width and height of a crop, px; the network's usual input is the middle two thirds."""


def people(
    count: int, dataset: str, groups: list[str], subset: str = "", seed: int = 0
) -> CropPack:
    """A pack of people in different arm positions; LSP Extended labels no faces."""
    rng = np.random.default_rng(seed)
    pictures, labels = [], []
    for _ in range(count):
        xy = person_at(*rng.normal((72, 44), 2), rng.uniform(90, 105))
        xy[7:11] += rng.uniform(-10, 10, (4, 2))
        pictures.append(paint(SIZE, xy))
        labels.append(np.column_stack((xy, np.full(17, 2.0))))
        if dataset == "lspet":
            labels[-1][:5] = 0
    return make_pack(pictures, np.array(labels), dataset=dataset, groups=groups, subset=subset)


def small_pack() -> CropPack:
    """Twelve people for training and four for validation."""
    lspet = people(8, "lspet", [f"lspet/g{i}" for i in range(8)], seed=1)
    coco = people(4, "coco_subset", [f"train/{i}" for i in range(4)], "train2017", seed=2)
    held_out = people(4, "coco_subset", [f"val/{i}" for i in range(4)], "val2017", seed=3)
    return join(join(lspet, coco), held_out)
