"""Whose a resource in Azure is: marks in tags, names that nobody else would choose, and claims in the status.

A mark is the installation, the namespace and the name of a custom resource. The UID is information only, so that a
cluster restored from a backup finds its things again. Subnets and peerings have no tags: there the claim, written
down before the first PUT, is the mark, and for a peering its name as well.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from bastion_operator.api.common import Claim, ClaimOrigin
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.inventory import Inventory
from bastion_operator.planning.model import Body

INSTALLATION_TAG = "azurebastion-installation"
NAMESPACE_TAG = "azurebastion-namespace"
NAME_TAG = "azurebastion-name"
UID_TAG = "azurebastion-uid"

# Azure's names of peerings are at most 80 characters long.
_PEERING_NAME_LENGTH = 80
_HASH_LENGTH = 16
PEERING_PREFIX = "azurebastion"
_CLUSTER_TAG = "sigs.k8s.io_cluster-api-provider-azure_cluster_"
_MARKS = frozenset({INSTALLATION_TAG, NAMESPACE_TAG, NAME_TAG, UID_TAG})

id_key = lru_cache(maxsize=1 << 16)(normalise_id)
"""``normalise_id``, remembered: a plan of 500 links compares the same few thousand ids over and over."""


class Ownership(StrEnum):
    """To whom an existing resource belongs, as seen by one custom resource."""

    CREATED = "Created"  # made by the operator for this custom resource: it may delete it
    ADOPTED = "Adopted"  # found and taken over: kept in sync, never deleted
    ADOPTABLE = "Adoptable"  # nobody's mark: the spec may ask to take it over
    FOREIGN = "Foreign"  # marked by another custom resource or installation, or by Cluster API


@dataclass(frozen=True, slots=True)
class Owner:
    """A custom resource as the owner of things in Azure."""

    installation_id: str
    namespace: str
    name: str
    uid: str

    def tags(self) -> dict[str, str]:
        """The mark on a resource that has tags."""
        return {
            INSTALLATION_TAG: self.installation_id,
            NAMESPACE_TAG: self.namespace,
            NAME_TAG: self.name,
            UID_TAG: self.uid,
        }

    def marked(self, body: Body) -> bool:
        """Whether the body carries this owner's mark."""
        tags = _tags(body)
        return all(tags.get(tag) == value for tag, value in self.tags().items() if tag != UID_TAG)

    def peering_name(self, remote_id: str) -> str:
        """The name of this owner's link to a virtual network: the same at every time, and nobody else's.

        The readable part is for people who look at the portal; only the hash counts.
        """
        digest = _digest(self.installation_id, self.namespace, self.name, normalise_id(remote_id))
        readable = remote_id.rsplit("/", 1)[-1][: _PEERING_NAME_LENGTH - len(PEERING_PREFIX) - _HASH_LENGTH - 2]
        return f"{PEERING_PREFIX}-{readable}-{digest}"


@lru_cache(maxsize=1 << 14)
def _digest(installation_id: str, namespace: str, name: str, remote_key: str) -> str:
    # Each pass asks for the name of each link.
    content = "\n".join((installation_id, f"{namespace}/{name}", remote_key))
    return hashlib.sha256(content.encode()).hexdigest()[:_HASH_LENGTH]


def installation_of(inventory: Inventory, namespace: str, name: str) -> str | None:
    """The installation whose marks an estate carries: that of this custom resource's, or the only one; None else."""
    found: set[str] = set()
    for row in inventory:
        tags = _tags(row)
        if (installation := tags.get(INSTALLATION_TAG)) is not None:
            if (tags.get(NAMESPACE_TAG), tags.get(NAME_TAG)) == (namespace, name):
                return installation
            found.add(installation)
    return found.pop() if len(found) == 1 else None


def owner_of(body: Body) -> str | None:
    """``namespace/name`` of the custom resource whose mark the body carries, or None."""
    tags = _tags(body)
    if INSTALLATION_TAG not in tags:
        return None
    return f"{tags.get(NAMESPACE_TAG, '?')}/{tags.get(NAME_TAG, '?')}"


def cluster_of(body: Body | None) -> str | None:
    """The cluster of Cluster API's provider for Azure (CAPZ) whose tag the body carries, or None.

    Source: the provider's tags, ``sigs.k8s.io_cluster-api-provider-azure_cluster_<cluster>``.
    """
    tags = body.get("tags") if body is not None else None
    names = map(str, tags) if isinstance(tags, Mapping) else ()
    found = next((name for name in names if name.lower().startswith(_CLUSTER_TAG)), None)
    return None if found is None else found[len(_CLUSTER_TAG) :]


def ownership_by_tags(owner: Owner, body: Body, claims: Iterable[Claim], resource_id: str) -> Ownership:
    """Whose a tagged resource is. An adopted one stays adopted, whatever tags it came to carry."""
    claim = claim_on(claims, resource_id)
    if claim is not None and claim.origin is ClaimOrigin.ADOPTED:
        return Ownership.ADOPTED
    if owner.marked(body):
        return Ownership.CREATED
    return Ownership.ADOPTABLE if owner_of(body) is None and cluster_of(body) is None else Ownership.FOREIGN


def claim_on(claims: Iterable[Claim], resource_id: str) -> Claim | None:
    """The claim on this resource, or None."""
    wanted = id_key(resource_id)
    return next((claim for claim in claims if id_key(claim.id) == wanted), None)


def adopted(claims: Iterable[Claim], resource_id: str) -> bool:
    """Whether the resource was found and taken over: it is never deleted, also after it had to be made anew."""
    claim = claim_on(claims, resource_id)
    return claim is not None and claim.origin is ClaimOrigin.ADOPTED


def asked_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that a spec may ask for: never the operator's marks, and of names that differ only in case the last.

    Azure keeps one tag for a name in any case, so asking for both would never come to rest.
    """
    by_name = {name.lower(): (name, value) for name, value in tags.items() if name.lower() not in _MARKS}
    return dict(by_name.values())


def tags_at_creation(
    owner: Owner, claims: Iterable[Claim], resource_id: str, tags: Mapping[str, str]
) -> dict[str, str]:
    """The tags that a resource is made with: what the spec asks for and the mark.

    What was adopted and has to be made anew gets no mark: after a restore without status the mark alone would say
    that the operator may delete it.
    """
    mark = {} if adopted(claims, resource_id) else owner.tags()
    return {**asked_tags(tags), **mark}


def is_mark(tag: str) -> bool:
    """Whether a tag of this name is one of the operator's marks."""
    return tag.lower() in _MARKS


def with_claim(claims: tuple[Claim, ...], claim: Claim) -> tuple[Claim, ...]:
    """The claims with one more; a resource that is claimed already keeps the claim that it has."""
    return claims if claim_on(claims, claim.id) else (*claims, claim)


def with_claim_in_place(claims: tuple[Claim, ...], claim: Claim) -> tuple[Claim, ...]:
    """The claims with this one in place of any other on the same resource.

    One that says the same stays as it is, with its time: what is found again is nothing new.
    """
    before = claim_on(claims, claim.id)
    if before is not None and (before.purpose, before.origin, before.detail) == (
        claim.purpose,
        claim.origin,
        claim.detail,
    ):
        return claims
    return (*without_claim(claims, claim.id), claim)


def without_claim(claims: tuple[Claim, ...], resource_id: str) -> tuple[Claim, ...]:
    """The claims without the one on this resource."""
    unwanted = id_key(resource_id)
    return tuple(claim for claim in claims if id_key(claim.id) != unwanted)


def _tags(body: Body) -> dict[str, str]:
    tags = body.get("tags")
    return {str(key).lower(): str(value) for key, value in tags.items()} if isinstance(tags, dict) else {}
