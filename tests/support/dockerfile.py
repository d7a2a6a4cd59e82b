"""Dockerfiles without a container engine: their instructions, and a stage's steps run in a folder of its own."""

import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path


@dataclass(frozen=True)
class Instruction:
    """`KEYWORD --flag=value argument`, continuation lines joined."""

    keyword: str
    flags: dict[str, str]
    argument: str

    @property
    def words(self) -> list[str]:
        """The argument as a list: of an exec form its elements, else what a shell would see."""
        if self.argument.startswith("["):
            return [str(word) for word in json.loads(self.argument)]
        return shlex.split(self.argument)


@dataclass(frozen=True)
class Stage:
    """One `FROM` and what follows it."""

    image: str
    name: str
    instructions: tuple[Instruction, ...]

    def last(self, keyword: str) -> Instruction:
        """The instruction of this kind that counts."""
        return [each for each in self.instructions if each.keyword == keyword][-1]

    @property
    def environment(self) -> dict[str, str]:
        pairs = [word.partition("=") for each in self.instructions if each.keyword == "ENV" for word in each.words]
        return {name: value for name, _, value in pairs}


def read_stages(dockerfile: Path) -> list[Stage]:
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text(), flags=re.MULTILINE)
    lines = [line for line in re.sub(r"\\\n\s*", "", text).splitlines() if line.strip()]
    stages: list[Stage] = []
    for instruction in map(_instruction, lines):
        if instruction.keyword == "FROM":
            image, *name = instruction.words
            stages.append(Stage(image, name[-1] if name else "", ()))
        else:
            before = stages[-1]
            stages[-1] = Stage(before.image, before.name, (*before.instructions, instruction))
    return stages


def _instruction(line: str) -> Instruction:
    keyword, _, rest = line.strip().partition(" ")
    flags = {}
    while match := re.match(r"--([a-z]+)=(\S+)\s+", rest):
        flags[match[1]] = match[2]
        rest = rest[match.end() :]
    return Instruction(keyword.upper(), flags, rest.strip())


@dataclass
class StageRun:
    """Runs a stage's steps with the container's absolute paths moved under `root`, and `python` as its Python."""

    stage: Stage
    context: Path
    root: Path
    python: Path
    directory: str = "/"
    environment: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Raises AssertionError with the output of the step that fails."""
        programs = self.root / "usr/local/bin"
        programs.mkdir(parents=True)
        for name in ("python", "python3"):
            (programs / name).symlink_to(self.python)
        # Whatever environment the tests run in must not be the one that is built.
        self.environment = {
            name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}
        }
        self.environment["PATH"] = f"{programs}:{self.environment['PATH']}"
        for each in self.stage.instructions:
            {"ENV": self._env, "WORKDIR": self._workdir, "COPY": self._copy, "RUN": self._run}[each.keyword](each)

    def moved(self, text: str) -> str:
        """The text with the container's own paths under `root`."""
        return re.sub(r"(?<![\w.])/(opt|src)\b", lambda match: f"{self.root}/{match[1]}", text)

    def path(self, inside: str) -> Path:
        return self.root / (Path(self.directory) / inside).relative_to("/")

    def _env(self, each: Instruction) -> None:
        for word in each.words:
            name, _, value = word.partition("=")
            self.environment[name] = self.moved(value)

    def _workdir(self, each: Instruction) -> None:
        self.directory = each.argument
        self.path("").mkdir(parents=True, exist_ok=True)

    def _copy(self, each: Instruction) -> None:
        *sources, target = each.words
        for source in sources:
            found = self.context / source
            into = self.path(target) / found.name if target.endswith("/") else self.path(target)
            if found.is_dir():
                shutil.copytree(found, into, dirs_exist_ok=True)
            else:
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(found, into)

    def _run(self, each: Instruction) -> None:
        command = ["/bin/sh", "-e", "-c", self.moved(each.argument)]
        done = subprocess.run(
            command,
            cwd=self.path(""),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{each.argument}\n{done.stdout}"


def copy_context(project: Path, context: Path) -> None:
    """What `.dockerignore` lets into the build: that of this project excludes all and then names what may enter."""
    lines = (project / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert patterns[0] == "*", "this reads a list of what may enter"
    left_out = [pattern.removeprefix("**/") for pattern in patterns[1:] if not pattern.startswith("!")]
    for pattern in patterns[1:]:
        if not pattern.startswith("!"):
            continue
        source, target = project / pattern[1:], context / pattern[1:]
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(
                source, target, ignore=lambda _, names: [n for n in names if any(fnmatch(n, p) for p in left_out)]
            )
        else:
            shutil.copy(source, target)
