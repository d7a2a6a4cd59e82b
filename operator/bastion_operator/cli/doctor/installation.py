"""Checks of the cluster: the API server, the CRDs, the operator and its rights, and those of who asks."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from bastion_operator import __version__
from bastion_operator.api import KINDS
from bastion_operator.api.crds import custom_resource_definition
from bastion_operator.api.meta import GROUP, VERSION, CustomResource
from bastion_operator.cli.doctor.check import Check, failed, ok, unknown, warning
from bastion_operator.cli.doctor.deployment import NAME, OperatorDeployment
from bastion_operator.kube.client import KubeClient
from bastion_operator.kube.errors import ForbiddenError, NotFoundError
from bastion_operator.kube.rights import (
    EVENTS,
    EVERYWHERE,
    IN_EACH_NAMESPACE,
    IN_OWN_NAMESPACE,
    MANAGING,
    OF_THE_CLUSTER,
    Right,
    may_account,
    may_caller,
)

_CRDS: Final = "kubectl apply --server-side -f crds/ of this version of the operator"
_APPLY: Final = "apply your own overlay again (kubectl apply --server-side -k deploy/mine), or helm upgrade"
_INSTALL: Final = "install it by an overlay of your own (kubectl apply --server-side -k deploy/mine) or helm install, or give --operator-namespace"
_VERSIONS: Final = "install both from one clone (pipx install --force . in it), or change the image"
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


def check_operator(found: OperatorDeployment | None, namespace: str) -> Iterator[Check]:
    """Whether it is installed, runs, and is of this program's version."""
    if found is None:
        yield failed("operator", f"there is no Deployment of {NAME} in namespace {namespace}", _INSTALL)
        return
    ready = found.raw.get("status", {}).get("readyReplicas", 0)
    if ready:
        yield ok("operator", f"{ready} of {found.raw['spec'].get('replicas', 1)} replicas are ready")
    else:
        logs = (
            f"look at kubectl --namespace {namespace} describe pods, and at kubectl --namespace {namespace} logs"
            f" --selector app.kubernetes.io/name={NAME} --prefix --tail=-1"
        )
        yield failed("operator", "no replica is ready", logs)
    yield compared_version(found.image)


def compared_version(image: str) -> Check:
    """Whether an image is of this program's version, as far as its name tells."""
    place, _, digest = image.partition("@")
    tag = place.rpartition("/")[2].partition(":")[2]
    if tag == __version__:
        return ok("versions", f"the operator and this program are {tag}")
    if digest and not tag:
        told = f"the operator is {image}, and a digest tells no version; this program is {__version__}"
        return unknown("versions", told, "see that the image was built from the same clone as this program")
    return warning("versions", f"the operator is {image}, this program {__version__}", _VERSIONS)


def asked_rights(found: OperatorDeployment, namespace: str) -> list[tuple[Right, str | None]]:
    """What the operator needs as it is set, each with the namespace, None for all of them."""
    watched = found.namespaces
    asked: list[tuple[Right, str | None]] = [(right, None) for right in (OF_THE_CLUSTER if watched else EVERYWHERE)]
    asked += [(right, each) for each in watched for right in IN_EACH_NAMESPACE]
    if watched:
        # An Event on an AzureIdentity, which has no namespace, stands there.
        asked += [(right, "default") for right in EVENTS if "default" not in watched]
    lease = found.setting("leader-elect-resource-name")
    home = found.setting("leader-elect-resource-namespace")
    for right in IN_OWN_NAMESPACE:
        if right.resource != "leases":
            asked.append((right, namespace))
        else:
            asked.append((replace(right, name=lease or right.name) if right.name else right, home or namespace))
    return asked


async def check_rights(client: KubeClient, namespace: str, found: OperatorDeployment | None) -> AsyncIterator[Check]:
    """What the operator's account may do, as far as the caller may ask, and what the caller may."""
    if found is None:
        yield unknown(
            "rights of the operator",
            "which account it has, and which namespaces it watches, is not known without its Deployment",
            "see to the check of the operator first",
        )
    else:
        yield await _rights_of_operator(client, namespace, found)
    lacking = [str(right) for right in _CALLERS if not await may_caller(client, right)]
    if lacking:
        yield warning(
            "your rights",
            f"you may not {', '.join(lacking)} in all namespaces",
            "ask for them, or give -n where you may",
        )
    else:
        yield ok("your rights", "you may read all custom resources and reports")


async def _rights_of_operator(client: KubeClient, namespace: str, found: OperatorDeployment) -> Check:
    account = f"system:serviceaccount:{namespace}:{found.account}"
    asked = asked_rights(found, namespace)
    try:
        missing = [(right, where) for right, where in asked if not await may_account(client, account, right, where)]
    except ForbiddenError:
        return unknown(
            "rights of the operator", "you may not ask what others may do", "ask for create on subjectaccessreviews"
        )
    return judged_rights(account, missing)


def judged_rights(account: str, missing: Sequence[tuple[Right, str | None]]) -> Check:
    """What the rights that an account lacks, each with its namespace, come to."""
    if not missing:
        return ok("rights of the operator", f"{account} may do all that it does")
    told = ", ".join(f"{right}{f' in {where}' if where else ''}" for right, where in missing)
    if all(right in MANAGING for right, _ in missing):
        return warning(
            "rights of the operator",
            f"observe only: {account} may not {told}, which a resource with managementPolicy: Manage needs",
            f"if that is not meant, leave deploy/observe or rbac.observeOnly out, and {_APPLY}",
        )
    return failed("rights of the operator", f"{account} may not {told}", _APPLY)
