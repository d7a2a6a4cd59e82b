"""Files of a released Go module that are no program, such as the definitions that it installs: fetched by go, pinned by go.sum."""

import hashlib
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from dev.control_plane import cache
from dev.control_plane.errors import BuildError
from dev.control_plane.settings import Report, Settings, report_to_stderr
from dev.control_plane.toolchain import find_go, go_environment

_FETCH_SECONDS = 300.0


@dataclass(frozen=True)
class ModuleFiles:
    """What of a module is wanted.

    :ivar name: of the folder in the cache
    :ivar module: the folder whose go.mod and go.sum pin it
    :ivar path: the module's own path
    :ivar folders: of the module, that are copied whole
    """

    name: str
    module: Path
    path: str
    folders: tuple[str, ...]
    ways_out: str
    go: tuple[int, int, int] = (1, 26, 0)

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that change with what decides which files these are."""
        digest = hashlib.sha256()
        for name in ("go.mod", "go.sum"):
            digest.update((self.module / name).read_bytes())
        digest.update(json.dumps([self.path, *self.folders]).encode())
        return digest.hexdigest()[:12]


def find_files(files: ModuleFiles, settings: Settings | None = None, report: Report = report_to_stderr) -> Path:
    """The folder of the cache that holds the module's folders under their own paths.

    Raises BuildError where the module cannot be had or does not match go.sum, with the ways out.
    """
    settings = Settings.from_environment() if settings is None else settings
    parent = settings.cache / "deploy-tools"
    folder = parent / f"{files.name}-{files.fingerprint}"
    with cache.exclusive(parent / f".{files.name}.lock", report):
        if not folder.is_dir():
            report(f"fetching {files.name} from the Go module {files.path}, once; kept in {folder}")
            with cache.staging(folder) as staged:
                source = _fetch(files, settings)
                for each in files.folders:
                    # Go keeps its modules read-only; the copies may be removed again.
                    shutil.copytree(source / each, staged / each, copy_function=shutil.copyfile)
                for copy in staged.rglob("*/"):
                    copy.chmod(0o755)
    return folder


def _fetch(files: ModuleFiles, settings: Settings) -> Path:
    """Where go unpacked the module, after it compared it with go.sum."""
    go = find_go(files.go, settings.variables)
    command = [str(go.path), "mod", "download", "-json", files.path]
    environment = go_environment(settings.variables, bundled=go.bundled)
    try:
        answer = subprocess.run(
            command,
            cwd=files.module,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_FETCH_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(
            f"the Go module {files.path} did not arrive within {_FETCH_SECONDS:.0f} s. {files.ways_out}"
        ) from error
    told = json.loads(answer.stdout) if answer.stdout.strip() else {}
    if answer.returncode != 0 or "Dir" not in told:
        reason = told.get("Error") or answer.stderr.strip() or "no reason given"
        raise BuildError(f"the Go module {files.path} cannot be fetched: {reason}. {files.ways_out}")
    return Path(told["Dir"])
