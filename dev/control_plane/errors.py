"""What can go wrong between a fresh clone and a running API server."""


class ControlPlaneError(Exception):
    """The local control plane cannot do what was asked; the message says what to do about it."""


class ProgramsError(ControlPlaneError):
    """kube-apiserver, etcd or kubectl can neither be found nor made."""


class ArchiveError(ProgramsError):
    """The envtest archive cannot be had, or is not the one that was pinned."""


class BuildError(ProgramsError):
    """The programs cannot be built from their Go modules."""


class StartError(ControlPlaneError):
    """etcd or kube-apiserver did not become ready; the message ends with the tail of its log."""


class KubectlError(ControlPlaneError):
    """kubectl ended with an error; the message is what it wrote to stderr."""

    def __init__(self, command: str, returncode: int, stderr: str) -> None:
        """Keep kubectl's own exit code and words."""
        super().__init__(f"`{command}` ended with exit code {returncode}: {stderr.strip()}")
        self.returncode = returncode
        self.stderr = stderr
