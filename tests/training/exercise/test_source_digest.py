"""Finished networks are used again only while the code that made them is the same."""

import shutil

import pytest

from gymform.exercise.networks.registry import FAMILIES, family_of
from gymform.training.exercise import source_digest as sd

ON_KEYPOINTS = [name for name, family in FAMILIES.items() if not family.on_pixels]
ON_PIXELS = [name for name, family in FAMILIES.items() if family.on_pixels]


@pytest.fixture
def package(tmp_path):
    """A copy of the package's source, to be edited."""
    copy = tmp_path / "gymform"
    shutil.copytree(sd.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "assets"))
    return copy


def changed_by_an_edit(package, module, model):
    """Does an edit to ``module`` give the networks of ``model`` another name?"""
    roots = sd.roots_of(family_of(model))
    before = sd.source_digest(*roots, package=package)
    path = package.parent.joinpath(*module.split(".")).with_suffix(".py")
    with path.open("a") as file:
        file.write("\n# edited\n")
    return sd.source_digest(*roots, package=package) != before


DECIDE = [
    "gymform.training.exercise.fitting",  # the optimiser
    "gymform.training.averaging",
    "gymform.exercise.classifier",
    "gymform.training.exercise.augment",
    "gymform.training.exercise.samples",
    "gymform.exercise.features",
    "gymform.training.exercise.synthesize",
    "gymform.training.exercise.keypoint_task",
    "gymform.motion.clean",
    "gymform.motion.body_size",
    "gymform.motion.repetitions",
    "gymform.skeleton",
]


@pytest.mark.parametrize("module", DECIDE)
@pytest.mark.parametrize("model", ON_KEYPOINTS)
def test_an_edit_to_code_that_decides_gives_another_name(package, module, model):
    assert changed_by_an_edit(package, module, model)


@pytest.mark.parametrize(
    "module",
    [
        "gymform.training.exercise.pixels",
        "gymform.training.exercise.pixel_task",
        "gymform.training.exercise.fitting",
        "gymform.training.averaging",
        "gymform.pose.crops",
        "gymform.video.read",
        "gymform.video.source",
    ],
)
@pytest.mark.parametrize("model", ON_PIXELS)
def test_so_for_networks_on_pixels(package, module, model):
    assert changed_by_an_edit(package, module, model)


@pytest.mark.parametrize(
    "module",
    [
        "gymform.training.exercise.report",
        "gymform.training.exercise.model_card",
        "gymform.training.exercise.commands",
        "gymform.training.exercise.comparison",
        "gymform.training.exercise.runs",
        "gymform.training.exercise.experiment",
        "gymform.exercise.explain",
        "gymform.form.cues",
        "gymform.errors",
        "gymform.cli",
        "gymform.training.pose.trainer",
    ],
)
@pytest.mark.parametrize("model", ["tcn", "r2plus1d"])
def test_an_edit_to_a_report_does_not(package, module, model):
    assert not changed_by_an_edit(package, module, model)


def test_each_network_counts_for_its_own_family_alone(package):
    assert changed_by_an_edit(package, "gymform.exercise.networks.stgcn", "stgcn")
    assert not changed_by_an_edit(package, "gymform.exercise.networks.stgcn", "tcn")
    assert not changed_by_an_edit(package, "gymform.training.exercise.pixels", "tcn")


def test_a_module_that_is_imported_anew_counts_from_then_on(package):
    """No list has to be kept."""
    (package / "motion" / "fresh.py").write_text("SHARE = 1\n")
    assert not changed_by_an_edit(package, "gymform.motion.fresh", "tcn")
    with (package / "motion" / "clean.py").open("a") as file:
        file.write(
            "\n\ndef late():\n    from gymform.motion.fresh import SHARE\n    return SHARE\n"
        )
    assert changed_by_an_edit(package, "gymform.motion.fresh", "tcn")


def test_what_is_left_out_exists_and_has_its_reason():
    for name, reason in sd.NO_INFLUENCE.items():
        path = sd.PACKAGE.parent.joinpath(*name.split("."))
        assert path.with_suffix(".py").is_file() or path.is_dir(), name
        assert reason
