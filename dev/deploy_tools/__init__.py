"""The programs that `make check-deploy` judges the installation with: real helm and promtool, at pinned versions.

Neither is to be had from PyPI, so each is built once from its released Go module, with the checked-in go.mod and go.sum, and
kept in the cache beside the control plane's programs.
"""

from pathlib import Path
from typing import Final

from dev.control_plane import cache
from dev.control_plane.from_source import Recipe, Target, build_programs
from dev.control_plane.settings import Report, Settings, report_to_stderr
from dev.control_plane.toolchain import find_go
from dev.deploy_tools.module_files import ModuleFiles

_HERE: Final = Path(__file__).parent
_HELM: Final = "4.3.1"
_PROMTOOL: Final = "0.315.1"
WAYS_OUT: Final = (
    "Two ways out: copy a filled cache from another machine and set BASTION_OPERATOR_CACHE to it; or open the network to a Go "
    "module proxy (GOPROXY)."
)
HELM: Final = Recipe(
    module=_HERE / "helm",
    version=_HELM,
    targets=(Target("helm", "helm.sh/helm/v4/cmd/helm", (("helm.sh/helm/v4/internal/version.version", f"v{_HELM}"),)),),
    probe="helm.sh/helm/v4",
    ways_out=WAYS_OUT,
)
PROMTOOL: Final = Recipe(
    module=_HERE / "promtool",
    version=_PROMTOOL,
    targets=(
        Target(
            "promtool",
            "github.com/prometheus/prometheus/cmd/promtool",
            (("github.com/prometheus/common/version.Version", _PROMTOOL),),
            # Rules need no clients of clouds, which are half of what it would compile.
            tags=("remove_all_sd",),
        ),
    ),
    probe="github.com/prometheus/prometheus",
    ways_out=WAYS_OUT,
)

PROMETHEUS_OPERATOR: Final = ModuleFiles(
    name="prometheus-operator",
    module=_HERE / "prometheus_operator",
    path="github.com/prometheus-operator/prometheus-operator",
    folders=("example/prometheus-operator-crd",),
    ways_out=WAYS_OUT,
)
"""Its custom resource definitions, by which PodMonitor and PrometheusRule are judged. The last version that Go modules have whole."""


def find_tool(recipe: Recipe, settings: Settings | None = None, report: Report = report_to_stderr) -> Path:
    """The recipe's one program, from the cache or built into it. Raises ProgramsError where it cannot be had, with the ways out."""
    settings = Settings.from_environment() if settings is None else settings
    (target,) = recipe.targets
    parent = settings.cache / "deploy-tools"
    folder = parent / f"{target.program}-{recipe.version}-{settings.where}-{recipe.fingerprint}"
    with cache.exclusive(parent / f".{target.program}.lock", report):
        if not cache.has_programs(folder, (target.program,)):
            go = find_go(recipe.go, settings.variables)
            report(
                f"building {target.program} {recipe.version} from source with {go}, once, some minutes; "
                f"the result is kept in {folder}"
            )
            with cache.staging(folder) as staged:
                build_programs(recipe, go, settings, staged, report)
    return folder / target.program
