"""Annotations corrected by a teacher, and people that only the teacher has seen."""

import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.pose.teaching import Rules, correct, label
from gymform.skeleton import HEAD

RULES = Rules()
VIEW = np.array([100.0, 100, 150, 200])


@pytest.fixture
def person() -> np.ndarray:
    """Keypoints (17, 3) about (100, 100) px with a torso of 60 px."""
    points = np.array(
        [[100, 40], [104, 36], [96, 36], [108, 40], [92, 40], [115, 60], [85, 60], [120, 90],
         [80, 90], [122, 115], [78, 115], [110, 118], [90, 118], [110, 145], [90, 145],
         [110, 170], [90, 170]]
    )  # fmt: skip
    return np.column_stack((points, np.full(17, 2.0)))


def answers(person: np.ndarray, score: float = 0.8) -> np.ndarray:
    views = np.stack((person, person)).astype(float)
    views[..., 2] = score
    return views


def test_agreed_joints_move_towards_the_teacher_and_the_face_is_added(person):
    annotation = person.copy()
    annotation[list(HEAD)] = 0
    annotation[list(sk.BODY), 0] += 4
    new = correct(annotation, answers(person), RULES)
    assert np.allclose(new[list(sk.BODY), 0], person[list(sk.BODY), 0] + 4 * (1 - RULES.share))
    assert np.allclose(new[list(HEAD)], person[list(HEAD)])


def test_a_contradicted_joint_is_left_out(person):
    views = answers(person)
    views[:, 9, 0] += 40
    new = correct(person, views, RULES)
    assert (new[9] == 0).all()
    assert (new[10] == person[10]).all()


def test_an_unsure_or_unsteady_answer_changes_nothing(person):
    views = answers(person)
    views[:, 9, 0] += 40
    views[:, 9, 2] = RULES.sure - 0.1
    views[:, 10, 0] += [40, -40]
    assert np.allclose(correct(person, views, RULES), person)


def test_a_teacher_that_saw_somebody_else_changes_nothing(person):
    views = answers(person)
    views[..., 0] += 50
    annotation = person.copy()
    annotation[list(HEAD)] = 0
    assert (correct(annotation, views, RULES) == annotation).all()


def test_nothing_is_learnt_about_a_person_without_annotated_body(person):
    annotation = np.zeros_like(person)
    assert (correct(annotation, answers(person), RULES) == 0).all()


def test_a_sure_teacher_labels_a_person(person):
    views = answers(person)
    views[:, 0, 2] = 0.1
    found = label(views, VIEW, RULES)
    assert found is not None
    assert (found[0] == 0).all()
    assert np.allclose(found[1:], person[1:])


@pytest.mark.parametrize("change", ["unsure", "unsteady", "elsewhere"])
def test_people_of_whom_the_teacher_is_not_sure_are_left_out(person, change):
    views = answers(person)
    if change == "unsure":
        views[..., 2] = 0.2
    elif change == "unsteady":
        views[0, :, 0] += 30
    else:
        views[..., 0] += 60
    assert label(views, VIEW, RULES) is None
