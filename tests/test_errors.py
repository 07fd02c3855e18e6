"""Errors: one base, texts for the user, and none is lost between processes."""

import ast
import inspect
import pickle
from pathlib import Path

import pytest

from gymform import errors
from gymform.errors import GymformError, VideoError

PACKAGE = Path(errors.__file__).parent
ERRORS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize("kind", ERRORS)
def test_all_are_caught_by_their_base_and_say_what_they_mean(kind):
    assert issubclass(kind, GymformError)
    assert vars(kind)["__doc__"].strip().endswith(".")
    assert str(kind("Expected a clip. Choose another.")) == "Expected a clip. Choose another."


@pytest.mark.parametrize("kind", ERRORS)
def test_kind_and_text_survive_the_way_from_a_worker(kind):
    back = pickle.loads(pickle.dumps(kind("No.")))  # noqa: S301
    assert type(back) is kind
    assert str(back) == "No."


def raised() -> set[str]:
    """Names that the package raises, or hands on as the error to raise."""
    names = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                names.add(ast.unparse(node.func).rpartition(".")[2])
    return names


def test_every_error_has_a_use():
    """... as a base of others, or because it is raised somewhere."""
    bases = {base for kind in ERRORS for base in kind.__mro__[1:]}
    unused = {kind.__name__ for kind in ERRORS if kind not in bases} - raised()
    assert unused == set()


def test_a_bug_is_none_of_them():
    """Pages show the text of these errors as it is; that of a bug could name paths."""
    bugs = (ValueError, KeyError, OSError, RuntimeError, AssertionError)
    assert not any(issubclass(kind, bugs) for kind in ERRORS)


def test_whatever_is_wrong_with_a_clip_is_one_kind():
    kinds = [kind for kind in ERRORS if "Video" in kind.__name__ or "TooL" in kind.__name__]
    assert len(kinds) > 6
    assert all(issubclass(kind, VideoError) for kind in kinds)
