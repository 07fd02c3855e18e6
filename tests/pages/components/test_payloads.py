"""Python and JavaScript say the same of what goes between them.

`payload.py` holds TypedDicts and `payload.js` JSDoc types of the same names; both are read into one
notation, in which fields, types and what may be left out have to agree.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
import types
import typing
from pathlib import Path
from typing import Any, Literal

import pytest

from gymform.draw.depth import DepthLine
from gymform.draw.player import BarPath, PlayerKeypoints, Series
from gymform.draw.traces import Points, Traces

COMPONENTS = Path(__file__).resolve().parents[3] / "pages" / "components"

FETCHED: dict[str, tuple[type, ...]] = {
    "player": (PlayerKeypoints, DepthLine, Series, BarPath),
    "reviewer": (Traces, Points),
}
"""What a component fetches as a file of its own, beside its data."""

FOLDERS = sorted(path.parent.name for path in COMPONENTS.glob("*/payload.py"))

Type = frozenset[Any]
"""The alternatives of a type: a name, or a tuple of what it is made of."""

Fields = dict[str, tuple[Type, bool]]
"""Type of each field, and whether it is always there."""


# ---- Python --------------------------------------------------------------------------------

NAMES = {int: "number", float: "number", str: "string", bool: "boolean", type(None): "null"}


def python_types(module: types.ModuleType, *more: type) -> dict[str, Fields]:
    """The TypedDicts that a module defines, and ``more``, by name."""
    own = [
        value
        for value in vars(module).values()
        if typing.is_typeddict(value) and value.__module__ == module.__name__
    ]
    return {one.__name__: python_fields(one) for one in (*own, *more)}


def python_fields(owner: type) -> Fields:
    fields = {}
    for name, hint in typing.get_type_hints(owner, include_extras=True).items():
        always = typing.get_origin(hint) is not typing.NotRequired
        fields[name] = (python_type(hint if always else typing.get_args(hint)[0]), always)
    return fields


def python_type(hint: Any) -> Type:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return frozenset().union(*map(python_type, inner))
    if origin is Literal:
        return frozenset(("literal", value) for value in inner)
    if origin is list:
        return frozenset([("list", python_type(inner[0]))])
    if origin is tuple:
        assert Ellipsis not in inner, f"expected a tuple of fixed length, got {hint}"
        return frozenset([("tuple", *map(python_type, inner))])
    if origin is dict:
        assert inner[0] is str, f"expected names as keys, got {hint}"
        return frozenset([("record", python_type(inner[1]))])
    if typing.is_typeddict(hint):
        return frozenset([hint.__name__])
    return frozenset([NAMES[hint]])


# ---- JavaScript ----------------------------------------------------------------------------

TAG = re.compile(r"@(\w+)\s+\{(.*)\}\s+(\[?\w+\]?)(?:\s.*)?")
TOKEN = re.compile(r'\s*("[^"]*"|\w+|\[\]|[][()<>|,])')


def javascript_types(source: str) -> dict[str, Fields]:
    """The object types that the comments of a payload.js define, by name."""
    objects: dict[str, dict[str, str]] = {}
    aliases: dict[str, str] = {}
    for comment in re.findall(r"/\*\*(.*?)\*/", source, re.DOTALL):
        fields = None
        lines = [line.strip().removeprefix("*").strip() for line in comment.splitlines()]
        for line in (line for line in lines if line.startswith("@")):
            found = TAG.fullmatch(line)
            assert found, f"not understood: {line}"
            tag, kind, name = found.groups()
            if tag == "typedef" and kind == "object":
                fields = objects[name] = {}
            elif tag == "typedef":
                aliases[name] = kind
            else:
                assert tag == "property", f"not understood: {line}"
                assert fields is not None, f"a property of nothing: {line}"
                fields[name] = kind
    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", source, flags=re.DOTALL).split()
    assert code == ["export", "{};"], f"expected types and nothing else, got {code}"
    return {
        owner: {
            name.strip("[]"): (javascript_type(kind, aliases), not name.startswith("["))
            for name, kind in fields.items()
        }
        for owner, fields in objects.items()
    }


def javascript_type(kind: str, aliases: dict[str, str]) -> Type:
    tokens = TOKEN.findall(kind)
    assert "".join(tokens) == re.sub(r"\s", "", kind), f"not understood: {kind}"
    parsed = _union(tokens, aliases)
    assert not tokens, f"not understood: {kind}"
    return parsed


def _union(tokens: list[str], aliases: dict[str, str]) -> Type:
    found = _several(tokens, aliases)
    while tokens and tokens[0] == "|":
        tokens.pop(0)
        found |= _several(tokens, aliases)
    return found


def _several(tokens: list[str], aliases: dict[str, str]) -> Type:
    found = _one(tokens, aliases)
    while tokens and tokens[0] == "[]":
        tokens.pop(0)
        found = frozenset([("list", found)])
    return found


def _one(tokens: list[str], aliases: dict[str, str]) -> Type:
    token = tokens.pop(0)
    if token == "(":
        found = _union(tokens, aliases)
        assert tokens.pop(0) == ")"
        return found
    if token == "[":
        parts = [_union(tokens, aliases)]
        while (mark := tokens.pop(0)) == ",":
            parts.append(_union(tokens, aliases))
        assert mark == "]"
        return frozenset([("tuple", *parts)])
    if token == "Record":
        assert [tokens.pop(0) for _ in range(3)] == ["<", "string", ","]
        found = frozenset([("record", _union(tokens, aliases))])
        assert tokens.pop(0) == ">"
        return found
    if token in aliases:
        return javascript_type(aliases[token], aliases)
    return frozenset([("literal", token.strip('"')) if token.startswith('"') else token])


# ---- both ----------------------------------------------------------------------------------


def differences(python: dict[str, Fields], javascript: dict[str, Fields]) -> list[str]:
    """Where two sides say different things, in words."""
    found = [f"{name} is on one side alone" for name in sorted(python.keys() ^ javascript.keys())]
    for owner in sorted(python.keys() & javascript.keys()):
        ours, theirs = python[owner], javascript[owner]
        found += [f"{owner}.{name} is on one side alone" for name in sorted(ours.keys() ^ theirs)]
        found += [
            f"{owner}.{name} differs"
            for name in ours
            if name in theirs and ours[name] != theirs[name]
        ]
    return found


def module_of(folder: str) -> types.ModuleType:
    return importlib.import_module(f"pages.components.{folder}.payload")


def script_of(folder: str) -> str:
    return (COMPONENTS / folder / "payload.js").read_text(encoding="utf-8")


def test_every_component_with_a_script_has_its_payload_on_both_sides():
    scripted = {path.parent.name for path in COMPONENTS.glob("*/*.js")}
    assert scripted == set(FOLDERS)
    assert {path.parent.name for path in COMPONENTS.glob("*/payload.js")} == scripted


@pytest.mark.parametrize("folder", FOLDERS)
def test_both_sides_say_the_same(folder):
    python = python_types(module_of(folder), *FETCHED.get(folder, ()))
    assert python, "expected TypedDicts"
    assert differences(python, javascript_types(script_of(folder))) == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_python_listens_to_every_state_and_trigger(folder):
    """Streamlit calls a component's states and triggers by names in keywords: on_NAME_change."""
    told = {
        name
        for owner, fields in python_types(module_of(folder)).items()
        if owner.endswith(("State", "Triggers"))
        for name in fields
    }
    heard = set()
    for path in (COMPONENTS / folder).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("_mount"):
                heard |= {word.arg for word in node.keywords if (word.arg or "").startswith("on_")}
    assert heard == {f"on_{name}_change" for name in told}


# ---- the comparison itself -----------------------------------------------------------------


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """Differences of a component's payloads once ``old`` is ``new`` on one side."""

    def plant(folder: str, side: str, old: str, new: str) -> list[str]:
        path = COMPONENTS / folder / f"payload.{side}"
        source = path.read_text(encoding="utf-8")
        assert old in source
        source = source.replace(old, new, 1)
        more = FETCHED.get(folder, ())
        if side == "js":
            return differences(python_types(module_of(folder), *more), javascript_types(source))
        copy = tmp_path / "planted_payload.py"
        copy.write_text(f"{source}\n\nimport typing\n", encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "planted_payload", raising=False)
        module = importlib.import_module("planted_payload")
        return differences(python_types(module, *more), javascript_types(script_of(folder)))

    yield plant
    sys.modules.pop("planted_payload", None)


@pytest.mark.parametrize(
    ("folder", "side", "old", "new", "fault"),
    [
        ("reviewer", "py", "    left: int\n", "    left: int\n    right: int\n",
         "ReviewerData.right is on one side alone"),
        ("reviewer", "js", " * @property {number} left\n", "",
         "ReviewerData.left is on one side alone"),
        ("reviewer", "py", "    beat: int", "    beat: int | None", "Work.beat differs"),
        ("reviewer", "js", '"good" | "fair"', '"good"', "Card.level differs"),
        ("reviewer", "js", "VerdictDecision | RelabelDecision", "VerdictDecision",
         "Work.decisions differs"),
        ("reviewer", "js", "Record<string, (number | null)[][]>", "Record<string, number[][]>",
         "Traces.series differs"),
        ("player", "js", "{[number, number] | null} point", "{[number, number]} point",
         "PickedPerson.point differs"),
        ("player", "py", "    chart: str", "    chart: typing.NotRequired[str]",
         "PlayerData.chart differs"),
        ("player", "js", "{string} chart", "{string} [chart]", "PlayerData.chart differs"),
        ("player", "js", "typedef {object} Seek", "typedef {object} Search",
         "Search is on one side alone"),
        ("recorder", "js", "{number} delay_s", "{string} delay_s", "RecorderData.delay_s differs"),
        ("recorder", "py", "motion: tuple[float, float]", "motion: tuple[float, float, float]",
         "Recording.motion differs"),
        ("live", "js", "{boolean} ready", "{boolean} ready\n * @property {string} camera",
         "GateTriggers.camera is on one side alone"),
        ("live", "py", "    label: str", "    label: str\n    frame: str",
         "StarterData.frame is on one side alone"),
    ],
)  # fmt: skip
def test_a_change_on_one_side_alone_is_found(planted, folder, side, old, new, fault):
    assert fault in planted(folder, side, old, new)


@pytest.mark.parametrize(
    "source",
    [
        "export {};\n/**\n * @typedef {object} A\n * @property number of\n */",
        "export {};\n/**\n * @property {number} of\n */",
        "export {};\n/**\n * @typedef {object} A\n * @property {Map<string, number>} of\n */",
        "export const A = 1;\n",
    ],
)
def test_what_cannot_be_compared_is_refused(source):
    with pytest.raises(AssertionError, match=r"not understood|of nothing|nothing else|assert"):
        javascript_types(source)


@pytest.mark.parametrize("hint", [tuple[float, ...], dict[int, str]])
def test_python_types_that_json_has_not_are_refused(hint):
    with pytest.raises(AssertionError, match="expected"):
        python_type(hint)
