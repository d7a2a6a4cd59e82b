"""Where the programs of the control plane may come from: read once from the environment, passed on as data."""

import os
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dev.control_plane.errors import ProgramsError

Report = Callable[[str], None]
"""Receives one line of progress, without a line end."""

PROGRAM_NAMES = ("kube-apiserver", "etcd", "kubectl")

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def report_to_stderr(line: str) -> None:
    """Print one line of progress; results alone belong on stdout."""
    print(line, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Platform:
    """Operating system and architecture in Go's names: linux or darwin, amd64 or arm64."""

    system: str
    architecture: str

    @classmethod
    def current(cls) -> "Platform":
        """Of this machine. Raises ProgramsError where etcd and kube-apiserver cannot run."""
        system, machine = platform.system().lower(), platform.machine().lower()
        if system not in {"linux", "darwin"} or machine not in _ARCHITECTURES:
            raise ProgramsError(
                f"the local control plane runs on Linux and macOS, on amd64 and arm64; this is {system} on {machine}. "
                "Use a container or a virtual machine with one of these."
            )
        return cls(system, _ARCHITECTURES[machine])

    def __str__(self) -> str:
        """Return the pair as it appears in archive and folder names."""
        return f"{self.system}-{self.architecture}"


@dataclass(frozen=True)
class Archive:
    """One release of the envtest archives: etcd, kube-apiserver and kubectl, packed for each platform."""

    version: str
    base_url: str
    sha512: Mapping[str, str] = field(default_factory=dict)
    """Digest by platform name, such as linux-amd64. A platform without one is not downloaded."""

    def url(self, where: Platform) -> str:
        """Address of the archive for one platform."""
        name = f"envtest-v{self.version}"
        return f"{self.base_url.rstrip('/')}/{name}/{name}-{where}.tar.gz"


# Digests: SHA-512 from envtest-releases.yaml of kubernetes-sigs/controller-tools. Its newest 1.36 release is 1.36.2.
ENVTEST = Archive(
    version="1.36.2",
    base_url="https://github.com/kubernetes-sigs/controller-tools/releases/download",
    sha512={
        "linux-amd64": "ea743186c8a799f5cf8faf16969f86189d003cb7d130e0ac4b58789f1e5748dc"
        "f30ebe91c837a10d5ac415383da3e10b9e64d65785c938c23e739781cfb76f08",
        "linux-arm64": "2d72ee985a8e262a3c57dc9f7f0fd891f6a8c7bf7ebaa2db6dc6d8eac8ae2818"
        "1afe51c1f368b67756cdb40b10de9b205609e1726e5f27f7c6d824dd9c6649ac",
        "darwin-amd64": "b4fe9f973cd1992e3880f8b230ed32c0c243b83371591e3e3315f4404df2cdbe"
        "f8ee94eeb9bb245b7e5feb987d5c4a76c43e0877654ab73f00d7bbc2b9984514",
        "darwin-arm64": "9278f9e5af556b2f1f2d139769c1f0d717c7b4426917fdebdba898bcb725a916"
        "e4910d6160886194ff9be9589ea7c5c32c2b8ae0754703874b7c8ba8ddfc41ce",
    },
)


@dataclass(frozen=True)
class Settings:
    """Where to look for the programs, and how long."""

    cache: Path
    where: Platform
    assets: Path | None = None
    archive: Archive = ENVTEST
    connect_seconds: float = 10.0
    """How long the archive's server may be silent before the next way is tried."""
    probe_seconds: float = 60.0
    """How long the first, small Go module may take before the network counts as closed."""
    variables: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    """The environment in which Go is looked for and run."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read KUBEBUILDER_ASSETS, BASTION_OPERATOR_CACHE and BASTION_OPERATOR_ENVTEST_URL."""
        variables = os.environ if environment is None else environment
        where = Platform.current()
        assets = variables.get("KUBEBUILDER_ASSETS")
        mirror = variables.get("BASTION_OPERATOR_ENVTEST_URL") or ENVTEST.base_url
        return cls(
            cache=cache_directory(variables, where.system),
            where=where,
            assets=Path(assets).expanduser() if assets else None,
            archive=Archive(ENVTEST.version, mirror, ENVTEST.sha512),
            variables=dict(variables),
        )


def cache_directory(variables: Mapping[str, str], system: str) -> Path:
    """The folder for built and downloaded programs: the user's cache by the platform's convention, or the override."""
    override = variables.get("BASTION_OPERATOR_CACHE")
    if override:
        return Path(override).expanduser().absolute()
    home = Path(variables["HOME"]) if variables.get("HOME") else Path.home()
    if system == "darwin":
        return home / "Library" / "Caches" / "bastion-operator"
    return Path(variables.get("XDG_CACHE_HOME") or home / ".cache") / "bastion-operator"
