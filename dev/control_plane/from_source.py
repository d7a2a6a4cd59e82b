"""kube-apiserver and etcd built from their released Go modules, pinned by a checked-in go.mod and go.sum.

k8s.io/kubernetes replaces its staging modules by folders of its own repository; `build/go.mod` replaces each by its
released twin instead, so that the module can be built from outside.
"""

import hashlib
import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dev.control_plane.child import Child
from dev.control_plane.errors import BuildError
from dev.control_plane.settings import Report, Settings
from dev.control_plane.toolchain import GoToolchain, go_environment

REPORT_SECONDS: Final = 5.0
POLL_SECONDS: Final = 0.1
GO_BUILD: Final = ("build", "-trimpath", "-buildvcs=false", "-v")
WAYS_OUT: Final = (
    "Three ways out: set KUBEBUILDER_ASSETS to a folder with kube-apiserver, etcd and kubectl; copy a filled cache from "
    "another machine and set BASTION_OPERATOR_CACHE to it; or open the network to the envtest archive "
    "(BASTION_OPERATOR_ENVTEST_URL names a mirror) or to a Go module proxy (GOPROXY)."
)


@dataclass(frozen=True)
class Target:
    """A program, the Go package that makes it, the values that its linker sets, and the build tags that leave parts out."""

    program: str
    package: str
    variables: tuple[tuple[str, str], ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def linker_flags(self) -> str:
        """Stripped of symbols, with the variables set."""
        return " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in self.variables)])


@dataclass(frozen=True)
class Recipe:
    """A Go module and what is built from it."""

    module: Path
    version: str
    targets: tuple[Target, ...]
    probe: str | None = None
    """A small module of the build: if it cannot be had, the network is closed. None: nothing is fetched."""
    go: tuple[int, int, int] = (1, 26, 0)
    ways_out: str = WAYS_OUT
    """What a person can do where it cannot be built."""

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that change with anything that decides what the programs are."""
        digest = hashlib.sha256()
        for name in ("go.mod", "go.sum"):
            digest.update((self.module / name).read_bytes())
        shape = [GO_BUILD, [(each.program, each.package, each.linker_flags, *each.tags) for each in self.targets]]
        digest.update(json.dumps(shape).encode())
        return digest.hexdigest()[:12]


KUBERNETES_VERSION: Final = "1.36.3"
_VERSION_PACKAGE: Final = "k8s.io/component-base/version"

CONTROL_PLANE: Final = Recipe(
    module=Path(__file__).with_name("build"),
    version=KUBERNETES_VERSION,
    targets=(
        Target("etcd", "go.etcd.io/etcd/server/v3"),
        Target(
            "kube-apiserver",
            "k8s.io/kubernetes/cmd/kube-apiserver",
            (
                (f"{_VERSION_PACKAGE}.gitVersion", f"v{KUBERNETES_VERSION}"),
                (f"{_VERSION_PACKAGE}.gitMajor", KUBERNETES_VERSION.split(".")[0]),
                (f"{_VERSION_PACKAGE}.gitMinor", KUBERNETES_VERSION.split(".")[1]),
                (f"{_VERSION_PACKAGE}.gitTreeState", "clean"),
            ),
        ),
    ),
    probe="go.etcd.io/etcd/server/v3",
)


def build_programs(recipe: Recipe, go: GoToolchain, settings: Settings, into: Path, report: Report) -> None:
    """Build every target of the recipe into the folder `into`.

    Raises BuildError, with the last lines of Go's own output, if the modules cannot be had or do not compile.
    """
    environment = go_environment(settings.variables, bundled=go.bundled)
    if recipe.probe is not None:
        _probe_network(recipe, recipe.probe, go, environment, settings.probe_seconds)
    for target in recipe.targets:
        _build(recipe, target, go, environment, into, report)


def _probe_network(recipe: Recipe, probe: str, go: GoToolchain, environment: dict[str, str], seconds: float) -> None:
    """Fetch one small module of the build first: Go itself would try each of hundreds before it gives up."""
    command = [str(go.path), "mod", "download", probe]
    try:
        answer = subprocess.run(
            command, cwd=recipe.module, env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"the Go module {probe} did not arrive within {seconds:.0f} s. {recipe.ways_out}") from error
    if answer.returncode != 0:
        reason = answer.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise BuildError(f"the Go module {probe} cannot be fetched: {reason[0]}. {recipe.ways_out}")


def _build(
    recipe: Recipe, target: Target, go: GoToolchain, environment: dict[str, str], into: Path, report: Report
) -> None:
    log = into / f"{target.program}.log"
    output = into / target.program
    tags = ("-tags", ",".join(target.tags)) if target.tags else ()
    command = [str(go.path), *GO_BUILD, *tags, "-ldflags", target.linker_flags, "-o", str(output), target.package]
    started = time.monotonic()
    child = Child.start(command, log=log, environment=environment, directory=recipe.module)
    try:
        next_report = started + REPORT_SECONDS
        while child.running:
            time.sleep(POLL_SECONDS)
            if time.monotonic() >= next_report:
                report(f"  {target.program}: {_progress(log)}, {time.monotonic() - started:.0f} s")
                next_report += REPORT_SECONDS
    finally:
        if child.running:
            child.kill()
    if child.returncode != 0 or not output.is_file():
        raise BuildError(f"{target.program} cannot be built with {go}:\n{_errors(log)}\n{recipe.ways_out}")
    report(f"  {target.program}: done, {_progress(log)}, {time.monotonic() - started:.0f} s")
    log.unlink()


def _progress(log: Path) -> str:
    """What `go build -v` has written so far, counted: a line for each module fetched and each package compiled."""
    lines = log.read_text(errors="replace").splitlines()
    modules = sum(line.startswith("go: downloading ") for line in lines)
    fetched = f"{modules} modules fetched, " if modules else ""
    return f"{fetched}{len(lines) - modules} packages compiled"


def _errors(log: Path) -> str:
    """The last lines of Go's output that are not progress: progress lines are a bare package path."""
    lines = log.read_text(errors="replace").splitlines()
    telling = [line for line in lines if " " in line.strip() and not line.startswith("go: downloading ")]
    return "\n".join(f"  {line}" for line in telling[-20:])
