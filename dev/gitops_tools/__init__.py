"""What `make test-gitops` runs beside the API server, each built once from its released Go module and kept in the cache.

A real Argo CD with the definitions that it brings, and Kubernetes' own garbage collector, without which nothing that is
deleted in the foreground, as Argo CD does it, would ever go.
"""

from pathlib import Path
from typing import Final

from dev.control_plane.from_source import KUBERNETES_VERSION, Recipe, Target
from dev.deploy_tools import WAYS_OUT
from dev.deploy_tools.module_files import ModuleFiles

_HERE: Final = Path(__file__).parent
_ARGO_CD_VERSION: Final = "3.2.11"
_ARGO_CD_MODULE: Final = "github.com/argoproj/argo-cd/v3"

ARGO_CD: Final = Recipe(
    module=_HERE / "argocd",
    version=_ARGO_CD_VERSION,
    targets=(Target("argocd", f"{_ARGO_CD_MODULE}/cmd", ((f"{_ARGO_CD_MODULE}/common.version", _ARGO_CD_VERSION),)),),
    probe=_ARGO_CD_MODULE,
    ways_out=WAYS_OUT,
)
"""One program that is command line, application-controller or repo-server, by the name that it is called by.

No later version: 3.2.12 does not compile, and from 3.3 on its go.mod replaces a module by a folder of its repository.
"""
ARGO_CD_MANIFESTS: Final = ModuleFiles(
    name="argocd-manifests",
    module=_HERE / "argocd",
    path=_ARGO_CD_MODULE,
    folders=("manifests/crds", "manifests/base/config"),
    ways_out=WAYS_OUT,
)
"""Its custom resource definitions, and the ConfigMaps and the Secret that an installation begins with."""
CONTROLLER_MANAGER: Final = Recipe(
    module=_HERE / "controller_manager",
    version=KUBERNETES_VERSION,
    targets=(
        Target(
            "kube-controller-manager",
            "k8s.io/kubernetes/cmd/kube-controller-manager",
            (("k8s.io/component-base/version.gitVersion", f"v{KUBERNETES_VERSION}"),),
        ),
    ),
    probe="k8s.io/api",
    ways_out=WAYS_OUT,
)
