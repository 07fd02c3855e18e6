"""Scripts of components are ES modules of their own, and reach the browser as one."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from pages.components import assets

SCRIPTS = (
    "duo/duo.js",
    "live/live_gate.js",
    "live/live_sign.js",
    "live/live_starter.js",
    "player/player.js",
    "recorder/recorder.js",
    "restart/restart.js",
    "reviewer/reviewer.js",
)
"""The modules with a component's default export."""

DECLARED = re.compile(r"^(?:export default )?(?:async )?(?:function|class|const|let) (\w+)", re.M)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Scripts to write in a folder that takes the components' place."""
    monkeypatch.setattr(assets, "_FOLDER", tmp_path)
    (tmp_path / "clock").mkdir()
    (tmp_path / "shared.js").write_text("export const ZERO = 0;\n")
    return tmp_path


def test_a_module_comes_behind_those_that_it_imports_each_once(folder):
    (folder / "clock" / "hand.js").write_text(
        'import { ZERO } from "../shared.js";\n\nexport class Hand {}\n'
    )
    (folder / "clock" / "clock.js").write_text(
        'import { ZERO } from "../shared.js";\nimport {\n  Hand,\n} from "./hand.js";\n\n'
        "export default function () {\n  return [ZERO, Hand];\n}\nexport async function tick() {}\n"
    )
    joined = assets.script("clock/clock.js")
    assert [line for line in joined.splitlines() if line] == [
        "const ZERO = 0;",
        "class Hand {}",
        "export default function () {",
        "  return [ZERO, Hand];",
        "}",
        "async function tick() {}",
    ]


@pytest.mark.parametrize(
    "line",
    [
        'import { ZERO as NOTHING } from "./shared.js";',
        'import shared from "./shared.js";',
        'import * as shared from "./shared.js";',
        'import "./shared.js";',
        'import { ZERO } from "somewhere";',
        "export { ZERO };",
        'export { ZERO } from "./shared.js";',
        'export * from "./shared.js";',
        "export let zero = 0;",
    ],
)
def test_what_cannot_be_joined_is_refused(folder, line):
    (folder / "odd.js").write_text(f"{line}\n")
    with pytest.raises(ValueError, match=r"odd\.js: .* cannot be joined"):
        assets.script("odd.js")


def test_a_circle_is_refused(folder):
    (folder / "one.js").write_text('import { TWO } from "./two.js";\nexport const ONE = 1;\n')
    (folder / "two.js").write_text('import { ONE } from "./one.js";\nexport const TWO = 2;\n')
    with pytest.raises(ValueError, match=r"one\.js imports itself, by way of two\.js"):
        assets.script("one.js")


def test_every_default_export_is_known_here():
    found = [
        path.relative_to(assets._FOLDER).as_posix()
        for path in assets._FOLDER.rglob("*.js")
        if re.search(r"^export default", path.read_text(encoding="utf-8"), re.M)
    ]
    assert sorted(found) == sorted(SCRIPTS)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_component_s_script_is_one_module(name):
    joined = assets.script(name)
    assert re.findall(r"^(?:import|export)\b.*", joined, re.M) == re.findall(
        r"^export default .*", joined, re.M
    )
    assert joined.count("export default") == 1
    names = DECLARED.findall(joined)
    assert sorted(names) == sorted(set(names)), "two scripts declare the same name"
    assert "types and nothing else" not in joined, "a payload.js reached the browser"


@pytest.mark.skipif(not shutil.which("node"), reason="needs Node")
@pytest.mark.parametrize("name", SCRIPTS)
def test_node_reads_a_component_s_script(name, tmp_path):
    """An early error, such as a name declared twice or an import left, is one for a browser too."""
    script = tmp_path / "joined.mjs"
    script.write_text(assets.script(name), encoding="utf-8")
    run = subprocess.run(
        ["node", "--check", str(script)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
