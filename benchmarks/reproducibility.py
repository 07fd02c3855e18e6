"""Does the training of an embedded pose network, run again from a clean clone, log the same?

    python benchmarks/reproducibility.py PACK [--model vitpose-s ...] [--steps 300]

PACK is the pack that the models' cards speak of, made by `scripts/teach_poses.py`. Each model's
training command is read from its card and run twice, each time in a clone of its own of the
project as it was before the commit that brought the model's weights: there lies what it began
with. Both runs are ended when so many steps are logged; the second is also killed (kill -9)
half-way and started again. Prints the numbers and writes benchmarks/reproducibility.md; ends with 1
when any line of the two logs differs.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from machine import PROJECT, TRAINED, describe, table

SAVES = 30
"""How often a run saves its state, and with it its log."""


@dataclass(frozen=True)
class Result:
    """How the two logs of a model's training compare."""

    model: str
    commit: str
    steps: int
    equal: int  # lines
    digest: str  # of the first log
    minutes: float  # of the first run
    losses: tuple[float, float]  # of the first and the last step

    @property
    def row(self) -> list[str]:
        first, last = self.losses
        return [
            self.model,
            f"`{self.commit[:9]}`",
            str(self.steps),
            str(self.equal),
            f"`{self.digest[:12]}`",
            f"{first:.4f}",
            f"{last:.4f}",
            f"{self.minutes:.0f}",
        ]


HEADER = ["model", "code", "steps", "equal", "sha256 of the log", "first loss", "last", "minutes"]


def git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=PROJECT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"reproducibility: git {words[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


def command_of(model: str) -> list[str]:
    """The words of the training command on the model's card, after ``train-pose``."""
    card = PROJECT / "weights" / f"{model}.md"
    found = re.search(r"^python -m gymform train-pose (.+)$", card.read_text("utf-8"), re.MULTILINE)
    if not found:
        raise SystemExit(f"reproducibility: {card} shows no training command")
    return shlex.split(found[1])


def begin(words: Sequence[str], run: Path, commit: str, pack: Path, steps: int) -> list[str]:
    """Make a clean clone of ``commit`` in the folder ``run``; the command that trains in it."""
    clone = run / "clone"
    git("clone", "--quiet", "--no-checkout", str(PROJECT), str(clone))
    git("-C", str(clone), "checkout", "--quiet", commit)
    words = list(words)
    words[words.index("--data") + 1] = str(pack)
    words[words.index("--out") + 1] = str(run / "out")
    init = words.index("--init") + 1
    if words[init].endswith(".safetensors"):
        words[init] = str(clone / "weights" / words[init])
    work = ["--work", str(run / "work"), "--save-every", str(-(-steps // SAVES))]
    return [sys.executable, "-m", "gymform", "train-pose", *words, *work]


def log_of(run: Path) -> list[str]:
    """The lines of a run's log without its header; one that is being written is left out."""
    path = run / "work" / "log.csv"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return text[: text.rfind("\n") + 1].splitlines()[1:]


def train_until(command: Sequence[str], run: Path, steps: int) -> None:
    """Train in the clone of ``run`` and kill the training when ``steps`` are logged."""
    process = subprocess.Popen(command, cwd=run / "clone")
    try:
        while len(log_of(run)) < steps and process.poll() is None:
            time.sleep(0.2)
    finally:
        process.kill()
        process.wait()
    if len(log_of(run)) < steps:
        raise SystemExit("reproducibility: the training ended early; see its message above")


def run_twice(model: str, pack: Path, steps: int, folder: Path) -> Result:
    """The first and the second run, and how their logs compare."""
    brought = git("log", "-1", "--format=%H", "--", f"weights/{model}.safetensors")
    commit = git("rev-parse", f"{brought}^")
    words = command_of(model)

    run = folder / "first"
    command = begin(words, run, commit, pack, steps)
    began = time.monotonic()
    train_until(command, run, steps)
    minutes = (time.monotonic() - began) / 60
    first = log_of(run)[:steps]

    run = folder / "second"
    command = begin(words, run, commit, pack, steps)
    train_until(command, run, steps // 2)
    train_until(command, run, steps)
    second = log_of(run)[:steps]

    losses = [float(line.split(",")[1]) for line in (first[0], first[-1])]
    return Result(
        model=model,
        commit=commit,
        steps=steps,
        equal=sum(one == other for one, other in zip(first, second, strict=True)),
        digest=hashlib.sha256("\n".join([*first, ""]).encode()).hexdigest(),
        minutes=minutes,
        losses=(losses[0], losses[1]),
    )


def report(results: Sequence[Result]) -> str:
    models = " ".join(f"--model {result.model}" for result in results)
    command = f"python benchmarks/reproducibility.py PACK {models} --steps {results[0].steps}"
    lines = [
        "# A training, run again, logs the same",
        "",
        f"Made by `{command}` on {describe()}.",
        "",
        table(HEADER, [result.row for result in results]),
        "",
        "Two runs of the command on the model's card, each from a clean clone of the project as it",
        "was before the commit that brought the model's weights; the second was killed (kill -9)",
        "half-way and started again. *Equal*: lines of `log.csv` (step, loss, rate, norm of the",
        "gradient) that are the same in both, byte for byte. Other processors, numbers of threads",
        "and versions of PyTorch sum in another order, so there the last digits differ.",
        "",
        "The commands:",
        "",
    ]
    for result in results:
        words = shlex.join(command_of(result.model))
        lines += ["```", f"python -m gymform train-pose {words}", "```", ""]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("--model", action="append", choices=TRAINED, metavar="NAME")
    parser.add_argument("--steps", type=int, default=300)
    options = parser.parse_args()
    if options.steps < 2 or not options.pack.is_file():
        parser.error("expected a pack that exists, and 2 steps or more")
    results: list[Result] = []
    for model in options.model or TRAINED:
        with tempfile.TemporaryDirectory(prefix="gymform-") as folder:
            results.append(run_twice(model, options.pack.resolve(), options.steps, Path(folder)))
        print(*results[-1].row, flush=True)
        text = report(results)
        (PROJECT / "benchmarks" / "reproducibility.md").write_text(text, encoding="utf-8")
    return int(any(result.equal < result.steps for result in results))


if __name__ == "__main__":
    sys.exit(main())
