"""Does what the Dockerfile says in a fresh Debian, where there is no Docker, and tells what came.

    sudo python scripts/try_dockerfile.py [--work DIR] --mirror URL [--share DIR ...]
        [--build-arg NAME=VALUE ...]

``debootstrap`` makes a Debian with the Python of that release, in place of the image that the file
names. Each FROM begins with a copy of it; COPY, RUN, ENV, ARG, WORKDIR and USER do what they do in
Docker. Then CMD runs as process 1 of its own, without a network; HEALTHCHECK is asked until it is
content, the sample is analysed, and SIGTERM ends it. ``--share`` shows a folder of this machine
inside, such as pip's configuration or packages that lie on disk.

It shows that the steps work on a bare Debian and that no library is missing. It does not show that
Docker accepts the file's syntax, nor what the image weighs with Docker's own Python.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

PROJECT = Path(__file__).resolve().parents[1]

PATIENCE_S = 120
"""For the pages to answer."""

# ---- reading -------------------------------------------------------------------------------


@dataclass
class Stage:
    """What one FROM begins: its image, its name and the instructions that follow."""

    image: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def last(self, instruction: str) -> str:
        """What the stage's last ``instruction`` says; "" when it has none."""
        return next((text for name, text in reversed(self.steps) if name == instruction), "")

    def environment(self, arguments: dict[str, str] | None = None) -> dict[str, str]:
        """What ENV and ARG set; ``arguments`` are those of the build, which replace ARG's."""
        found = {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"}
        for instruction, text in self.steps:
            for word in shlex.split(text) if instruction in ("ENV", "ARG") else ():
                name, _, value = word.partition("=")
                given = (arguments or {}).get(name) if instruction == "ARG" else None
                found[name] = string.Template(value).substitute(found) if given is None else given
        return found


def read_dockerfile(text: str) -> list[Stage]:
    """The stages of a Dockerfile. Raises ValueError for an instruction before the first FROM."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    stages: list[Stage] = []
    for line in filter(None, map(str.strip, joined.splitlines())):
        instruction, _, rest = line.partition(" ")
        if instruction == "FROM":
            image, *named = rest.split()
            stages.append(Stage(image, named[1] if named else str(len(stages))))
        elif not stages:
            raise ValueError(f"expected FROM first, got {line!r}")
        else:
            stages[-1].steps.append((instruction, rest.strip()))
    return stages


def command_of(text: str) -> list[str]:
    """The words of a CMD or HEALTHCHECK in JSON, whatever options stand before it."""
    words = json.loads(text[text.index("[") :])
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError(f"expected a list of texts, got {text}")
    return words


def context(root: Path, ignore: str) -> Iterator[str]:
    """Files that a build is given of ``root``, by a ``.dockerignore`` of plain names.

    ``*`` leaves out all, ``!NAME`` takes a file or folder of the root back in, ``**/NAME`` leaves
    out whatever has that name. Raises ValueError for other patterns.
    """
    lines = [line for line in map(str.strip, ignore.splitlines()) if line and line[0] != "#"]
    taken = {line[1:] for line in lines if line.startswith("!")}
    names = {line[3:] for line in lines if line.startswith("**/")}
    other = [line for line in lines if line != "*" and line[0] != "!" and line[:3] != "**/"]
    if other or lines[:1] != ["*"] or any("/" in name or "*" in name for name in taken | names):
        raise ValueError(f".dockerignore: cannot read {other or lines}")
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if path.is_file() and parts[0] in taken and not names.intersection(parts):
            yield PurePosixPath(*parts).as_posix()


# ---- doing ---------------------------------------------------------------------------------


def say(text: str) -> None:
    """A line for whoever watches."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@dataclass
class Box:
    """A Debian in a folder, in which commands run as in a container."""

    root: Path
    shared: list[Path]
    environment: dict[str, str]
    user: str = "root"
    folder: str = "/"

    def command(self, *words: str, network: bool = True) -> list[str]:
        """What runs ``words`` inside, as process 1 of spaces of its own."""
        steps = ["mount -t proc proc $0/proc", "mount --rbind /dev $0/dev"]
        for path in self.shared:
            (self.root / path.relative_to("/")).mkdir(parents=True, exist_ok=True)
            steps.append(f"mount --bind {path} $0{path}")
        if not network:
            steps.append(f"{tool('ip')} link set lo up")
        enter = f"exec {tool('chroot')} --userspec={self.user} $0"
        steps.append(f'{enter} /bin/sh -c \'cd "$0" && exec "$@"\' "$@"')
        spaces = ["--mount", "--pid", "--fork", "--kill-child", *["--net"] * (not network)]
        script = " && ".join(steps)
        return [tool("unshare"), *spaces, "sh", "-c", script, str(self.root), self.folder, *words]

    def surroundings(self) -> dict[str, str]:
        """The environment inside: nothing of ours."""
        home = "/root" if self.user == "root" else f"/home/{self.user}"
        return {"HOME": home, "LANG": "C.UTF-8"} | self.environment

    def run(self, *words: str) -> str:
        """What ``words`` print inside. Raises CalledProcessError."""
        return output_of(self.command(*words), self.surroundings())


def tool(name: str) -> str:
    """The path of a program of this machine."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None:
        raise SystemExit(f"{name} is missing here: please install it.")
    return found


def output_of(command: list[str], environment: dict[str, str] | None = None) -> str:
    """What ``command`` prints. Raises CalledProcessError, after saying its last words."""
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        say(done.stdout[-3000:])
    done.check_returncode()
    return done.stdout


def fresh_debian(root: Path, release: str, mirror: str) -> None:
    """A Debian with Python below ``root``, with the names that Docker's image of it has."""
    packages = "--include=python3,python3-venv,ca-certificates"
    output_of([tool("debootstrap"), "--variant=minbase", packages, release, str(root), mirror])
    for name in ("python", "python3"):
        (root / "usr" / "local" / "bin" / name).symlink_to("/usr/bin/python3")
    for name in ("resolv.conf", "hosts"):
        shutil.copyfile(Path("/etc") / name, root / "etc" / name)


def copy_in(text: str, box: Box, boxes: dict[str, Box]) -> None:
    """Do as COPY says: from the build's context, or with ``--from`` from another stage."""
    words = text.split()
    other = words.pop(0).removeprefix("--from=") if words[0].startswith("--from=") else ""
    source, target = words
    place = box.root / target.lstrip("/")
    if other:
        output_of(["cp", "-a", str(boxes[other].root / source.lstrip("/")), str(place)])
        return
    for name in context(PROJECT, (PROJECT / ".dockerignore").read_text(encoding="utf-8")):
        if source == "." or name == source:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PROJECT / name, place / name)


def build(stages: list[Stage], work: Path, options: argparse.Namespace) -> Box:
    """Do all stages; the box of the last."""
    given = dict(one.split("=", 1) for one in options.build_arg)
    boxes: dict[str, Box] = {}
    for stage in stages:
        root = work / f"stage-{stage.name}"
        shutil.rmtree(root, ignore_errors=True)
        output_of(["cp", "-a", str(work / "debian"), str(root)])
        box = boxes[stage.name] = Box(root, options.share, {})
        seen = Stage(stage.image, stage.name)
        for instruction, text in stage.steps:
            started = time.monotonic()
            seen.steps.append((instruction, text))
            box.environment = seen.environment(given)
            do(instruction, text, box, boxes)
            say(f"{time.monotonic() - started:7.1f} s  {instruction} {text}")
    return boxes[stages[-1].name]


def do(instruction: str, text: str, box: Box, boxes: dict[str, Box]) -> None:
    """One instruction. Raises ValueError for one that nobody has taught us."""
    if instruction == "RUN":
        box.run("/bin/sh", "-c", text)
    elif instruction == "COPY":
        copy_in(text, box, boxes)
    elif instruction == "USER":
        box.user = text
    elif instruction == "WORKDIR":
        box.folder = text
    elif instruction not in ("ENV", "ARG", "VOLUME", "EXPOSE", "HEALTHCHECK", "CMD"):
        raise ValueError(f"{instruction}: not known here")


# ---- looking -------------------------------------------------------------------------------


def megabytes(path: Path) -> int:
    """MB (10^6 bytes) on disk below ``path``."""
    return int(output_of(["du", "-s", "-x", "--block-size=1000000", str(path)]).split()[0])


def missing_libraries(box: Box, folder: str) -> list[str]:
    """Shared libraries that something in ``folder`` wants and nothing provides."""
    find = f"find {folder} -name '*.so*'"
    wanted = f"{find} -type f -exec ldd {{}} + 2>/dev/null | grep 'not found' || true"
    names = {line.split()[0] for line in box.run("/bin/sh", "-c", wanted).splitlines()}
    # wheels bring libraries along, which Python has loaded by the time that they are wanted
    return sorted(names - set(box.run("/bin/sh", "-c", f"{find} -printf '%f\\n'").split()))


@contextmanager
def started(box: Box, words: list[str]) -> Iterator[subprocess.Popen[str]]:
    """CMD, running inside without a network; killed if it is still there at the end."""
    process = subprocess.Popen(
        box.command(*words, network=False), env=box.surroundings(), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None and (inner := first_process(process.pid)):
            os.kill(inner, signal.SIGKILL)  # and with it all that is inside
        process.kill()
        process.wait()


def first_process(parent: int) -> int:
    """The number that process 1 inside has outside; 0 while there is none."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return int(children[0]) if children else 0


def beside(process: int, *words: str) -> list[str]:
    """What runs ``words`` beside a process that runs inside, as its user: ``docker exec``."""
    user = str(Path(f"/proc/{process}").stat().st_uid)
    spaces = ["--mount", "--pid", "--net", "--root", "--wd", "--setuid", user, "--setgid", user]
    return [tool("nsenter"), "--target", str(process), *spaces, *words]


def wait_until_healthy(process: subprocess.Popen[str], box: Box, health: list[str]) -> int:
    """The number of process 1 once HEALTHCHECK is content. Raises SystemExit when it never is."""
    began = time.monotonic()
    while process.poll() is None and time.monotonic() - began < PATIENCE_S:
        inner = first_process(process.pid)
        if inner and is_content(inner, box, health):
            say(f"{time.monotonic() - began:7.1f} s  until it is healthy")
            return inner
        time.sleep(0.5)
    if process.poll() is None:
        raise SystemExit(f"It did not become healthy within {PATIENCE_S} s.")
    raise SystemExit(f"It ended: {process.communicate()[0][-2000:]}")


def is_content(process: int, box: Box, health: list[str]) -> bool:
    """What HEALTHCHECK says beside a process inside."""
    try:
        command = beside(process, *health)
    except FileNotFoundError:  # it has ended meanwhile
        return False
    done = subprocess.run(command, env=box.surroundings(), capture_output=True, check=False)
    return done.returncode == 0


def look(box: Box, stage: Stage) -> None:
    """Start the container's command, ask how it is, use it, and stop it."""
    sample = "import gymform; print(gymform.__path__[0] + '/assets/sample_squat.mp4')"
    clip = box.run("python", "-c", sample).strip()
    with started(box, command_of(stage.last("CMD"))) as process:
        inner = wait_until_healthy(process, box, command_of(stage.last("HEALTHCHECK")))
        name = Path(f"/proc/{inner}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        say(f"process 1, user {Path(f'/proc/{inner}').stat().st_uid}: {name}")
        for words in (
            ["gymform", "weights", "verify"],
            ["gymform", "analyze", clip, "--out", "/data/out"],
            ["ls", "-ln", "/data", "/data/out"],
        ):
            say(f"$ {' '.join(words)}\n{output_of(beside(inner, *words), box.surroundings())}")
        os.kill(inner, signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
        say(f"after SIGTERM: exit code {process.returncode}\n{output}")


def main() -> int:
    """Do it all in a folder that is deleted afterwards, or in ``--work``."""
    parser = argparse.ArgumentParser(description="Do the Dockerfile's steps in a fresh Debian.")
    parser.add_argument("--work", type=Path, help="keep everything in this folder")
    parser.add_argument("--mirror", required=True, help="of Debian")
    parser.add_argument(
        "--share", type=Path, action="append", default=[], metavar="DIR", help="to be seen inside"
    )
    parser.add_argument(
        "--build-arg", action="append", default=[], metavar="NAME=VALUE", help="in place of ARG's"
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started ends too
    if os.geteuid():
        parser.error("chroot needs root: start it with sudo")
    stages = read_dockerfile((PROJECT / "Dockerfile").read_text(encoding="utf-8"))
    release = stages[-1].image.rpartition("-")[2]
    with tempfile.TemporaryDirectory() as temporary:
        work = (options.work or Path(temporary)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        if not (work / "debian").exists():
            fresh_debian(work / "debian", release, options.mirror)
        say((work / "debian" / "etc" / "debian_version").read_text().strip() + f", {release}")
        box = build(stages, work, options)
        say(f"{megabytes(box.root) - megabytes(work / 'debian')} MB on top of the image")
        say(f"missing libraries: {missing_libraries(box, '/opt/gymform') or 'none'}")
        look(box, stages[-1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
