"""What `make test-gitops` needs: an Argo CD with our health check, and the operator at work on the example's Azure.

One of each for the run. Each test brings its own git repository and its own Application, and takes it down again.
"""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from tests.support.argo_cd import Application, ArgoCD
from tests.support.git_repository import GitRepository
from tests.support.lab import AZURE_SPEED, EXAMPLE, OPERATOR_NAMESPACE, Lab

# Where the examples lie, and the identity that they use when they name none.
EXAMPLES_NAMESPACE = "connectivity"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def argo_cd(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArgoCD]:
    running = ArgoCD(control_plane, tmp_path_factory.mktemp("argo-cd"))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def stage(
    control_plane: ControlPlane, operator_installed: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """The example's Azure, the namespace and the Secret that the examples name; the operator does not run yet."""
    folder = tmp_path_factory.mktemp("stage")
    azure = LocalAzure(
        folder, estates=[EXAMPLE / "estate.json"], speed=AZURE_SPEED, options=[LocalAzure.keep_state(folder)]
    )
    azure.start()
    control_plane.kubectl("create", "namespace", EXAMPLES_NAMESPACE)
    secret = f"--from-literal=clientSecret={azure.clients['operator'].client_secret}"
    control_plane.kubectl("-n", OPERATOR_NAMESPACE, "create", "secret", "generic", "azure-default", secret)
    lab = Lab(control_plane, EXAMPLES_NAMESPACE, folder, operator_installed, azure)
    try:
        yield lab
    finally:
        lab.operator.kill()
        azure.kill()


@pytest.fixture
def lab(stage: Lab) -> Iterator[Lab]:
    """The operator at work; what stands in Azure is what the estate holds, before the test and after it."""
    if stage.operator.child is None or not stage.operator.child.running:
        stage.operator.start()
    yield stage
    stage.clear()


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    return GitRepository(tmp_path / "networks")


@pytest.fixture
def application(argo_cd: ArgoCD, repository: GitRepository) -> Iterator[Callable[..., Application]]:
    """Makes the test's Application of its repository; it is taken down afterwards, with all that it brought."""
    made: list[Application] = []

    def make(**spec: Any) -> Application:
        new = argo_cd.application(f"networks-{next(_numbers)}", repository.url, **spec)
        made.append(new)
        return new

    yield make
    for each in made:
        each.delete()
