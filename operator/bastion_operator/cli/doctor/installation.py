"""Checks of the cluster: the API server, the CRDs, the operator and its rights, and those of who asks."""

from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import quote

from bastion_operator import __version__
from bastion_operator.api import KINDS
from bastion_operator.api.crds import custom_resource_definition
from bastion_operator.api.meta import GROUP, VERSION, CustomResource
from bastion_operator.cli.doctor.check import Check, failed, ok, unknown, warning
from bastion_operator.kube.client import KubeClient
from bastion_operator.kube.errors import ForbiddenError, NotFoundError
from bastion_operator.kube.rights import EVERYWHERE, IN_OWN_NAMESPACE, Right, may_account, may_caller

_CRDS: Final = "kubectl apply --server-side -f crds/ of this version of the operator"
_INSTALL: Final = "kubectl apply --server-side -k deploy/base, or give --operator-namespace"
_NAME: Final = "bastion-operator"
_CALLERS: Final = tuple(
    Right(GROUP, kind.names.plural, verb)
    for kind in KINDS
    for verb in ("get", "list")
    if kind.names.scope == "Namespaced"
)


async def check_api_server(client: KubeClient) -> AsyncIterator[Check]:
    """Whether it answers, and as which version. Raises KubeError where it does not."""
    version = await client.request("GET", "/version")
    yield ok("API server", f"Kubernetes {version.get('gitVersion', '?')} answers")


async def check_crds(client: KubeClient) -> AsyncIterator[Check]:
    """Whether each kind is there, in the version and with the schema of this program."""
    for kind in KINDS:
        name = f"CRD {kind.names.crd}"
        try:
            found = await client.request(
                "GET", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{kind.names.crd}"
            )
        except NotFoundError:
            yield failed(name, "it is not there", _CRDS)
        except ForbiddenError:
            yield await _served(client, kind, name)
        else:
            yield compared_crd(kind, found, name)


async def _served(client: KubeClient, kind: type[CustomResource], name: str) -> Check:
    """By discovery, which everybody may read: the schema stays unseen."""
    try:
        listed = await client.request("GET", f"/apis/{GROUP}/{VERSION}")
    except NotFoundError:
        return failed(name, f"the cluster does not serve {GROUP}/{VERSION}", _CRDS)
    if any(each.get("name") == kind.names.plural for each in listed.get("resources") or ()):
        return ok(name, f"{VERSION} is served; you may not read its schema")
    return failed(name, "it is not there", _CRDS)


def compared_crd(kind: type[CustomResource], found: dict[str, Any], name: str) -> Check:
    """Whether a CRD that is installed is one that this program can work with."""
    versions = {each.get("name"): each for each in found.get("spec", {}).get("versions") or ()}
    version = versions.get(VERSION)
    if version is None or not version.get("served"):
        return failed(name, f"it serves {', '.join(map(str, versions)) or 'nothing'}, and not {VERSION}", _CRDS)
    conditions = {each.get("type"): each for each in found.get("status", {}).get("conditions") or ()}
    if conditions.get("Established", {}).get("status") != "True":
        told = conditions.get("NamesAccepted", {}).get("message") or "the API server has not established it"
        return failed(name, told, _CRDS)
    own = custom_resource_definition(kind)["spec"]["versions"][0]
    missing = sorted(_fields(own["schema"]["openAPIV3Schema"]) - _fields(version["schema"]["openAPIV3Schema"]))
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        return failed(name, f"it is older than this program ({__version__}): it has no field {missing[0]}{more}", _CRDS)
    return ok(name, f"{VERSION} is served, with all fields that this program knows")


def _fields(schema: dict[str, Any], path: str = "") -> set[str]:
    """The paths of all fields of a schema."""
    found = set()
    for name, inner in (schema.get("properties") or {}).items():
        found |= {f"{path}.{name}", *_fields(inner, f"{path}.{name}")}
    if isinstance(items := schema.get("items"), dict):
        found |= _fields(items, f"{path}[]")
    return found


async def check_operator(client: KubeClient, namespace: str) -> AsyncIterator[Check]:
    """Whether it is installed, runs, and is of this program's version."""
    path = f"/apis/apps/v1/namespaces/{quote(namespace, safe='')}/deployments/{_NAME}"
    try:
        found = await client.request("GET", path)
    except NotFoundError:
        yield failed("operator", f"there is no Deployment {_NAME} in namespace {namespace}", _INSTALL)
        return
    except ForbiddenError:
        yield unknown(
            "operator", f"you may not read Deployments in namespace {namespace}", "ask for get on deployments there"
        )
        return
    ready = found.get("status", {}).get("readyReplicas", 0)
    if ready:
        yield ok("operator", f"{ready} of {found['spec'].get('replicas', 1)} replicas are ready")
    else:
        logs = f"look at kubectl -n {namespace} describe pods and logs deploy/{_NAME}"
        yield failed("operator", "no replica is ready", logs)
    image = str(found["spec"]["template"]["spec"]["containers"][0].get("image"))
    tag = image.rpartition(":")[2].partition("@")[0]
    if tag == __version__:
        yield ok("versions", f"the operator and this program are {tag}")
    else:
        yield warning(
            "versions",
            f"the operator is {image}, this program {__version__}",
            "bring both to one version: uv tool upgrade bastion-operator, or the image in deploy/",
        )


async def check_rights(client: KubeClient, namespace: str) -> AsyncIterator[Check]:
    """What the operator's account may do, as far as the caller may ask, and what the caller may."""
    account = f"system:serviceaccount:{namespace}:{_NAME}"
    asked = [*((right, None) for right in EVERYWHERE), *((right, namespace) for right in IN_OWN_NAMESPACE)]
    try:
        missing = [str(right) for right, where in asked if not await may_account(client, account, right, where)]
    except ForbiddenError:
        yield unknown(
            "rights of the operator", "you may not ask what others may do", "ask for create on subjectaccessreviews"
        )
    else:
        if missing:
            yield failed(
                "rights of the operator",
                f"{account} may not {', '.join(missing)}",
                "kubectl apply --server-side -k deploy/base",
            )
        else:
            yield ok("rights of the operator", f"{account} may do all that it does")
    lacking = [str(right) for right in _CALLERS if not await may_caller(client, right)]
    if lacking:
        yield warning(
            "your rights",
            f"you may not {', '.join(lacking)} in all namespaces",
            "ask for them, or give -n where you may",
        )
    else:
        yield ok("your rights", "you may read all custom resources and reports")
