"""What crosses the fields of a BastionHost or may not change, as CEL rules.

The SKU rules are those of Microsoft's "Azure Bastion configuration settings" and "Choose the right Azure Bastion SKU".
"""

from typing import Any

from bastion_operator.api.model import Extra, Rule, json_name

MAX_NAME = 80
"""Characters of a host's name in Azure, at most."""

_AGAIN = "delete this BastionHost and apply it again with the new value"
_FIXED = f"is fixed by Azure at creation: {_AGAIN}"
_ANEW = f"{_FIXED}, or set replacePolicy: Recreate to have the host deleted and made anew"
_STANDARD = ("Standard", "Premium")
_STANDARD_CEL = str(list(_STANDARD))

# A feature is judged where the SKU is named: an observed host need not name one.
_FEATURES_BY_SKU = (
    ("native_client", True, _STANDARD, "features.nativeClient needs sku Standard or Premium"),
    ("ip_connect", True, _STANDARD, "features.ipConnect needs sku Standard or Premium"),
    ("shareable_link", True, _STANDARD, "features.shareableLink needs sku Standard or Premium"),
    ("file_copy", True, _STANDARD, "features.fileCopy needs sku Standard or Premium"),
    ("copy_paste", False, _STANDARD, "features.copyPaste: false needs sku Standard or Premium"),
    ("kerberos", True, ("Basic", *_STANDARD), "features.kerberos needs sku Basic, Standard or Premium"),
    ("private_only", True, ("Premium",), "features.privateOnly needs sku Premium"),
    ("session_recording", True, ("Premium",), "features.sessionRecording needs sku Premium"),
)


def _needs_sku(feature: str, value: bool, skus: tuple[str, ...], message: str) -> Rule:
    unset = str(not value).lower()
    return Rule(
        f"!has(self.sku) || self.sku in {list(skus)} || self.?features.?{json_name(feature)}.orValue({unset}) == {unset}",
        f"{message}: raise the SKU or leave the feature out",
        ".features",
        lambda spec: spec.sku is None or spec.sku in skus or getattr(spec.features, feature) is not value,
    )


def _not_with_developer(field: str) -> Rule:
    name = json_name(field)
    return Rule(
        f"!has(self.sku) || self.sku != 'Developer' || !has(self.{name})",
        f"a Developer host is shared and has no {name}: leave {name} out or choose another sku",
        f".{name}",
        lambda spec: spec.sku != "Developer" or getattr(spec, field) is None,
    )


def _may_have_ports(spec: Any) -> bool:
    ports = spec.network_security.ports
    return spec.sku is None or spec.sku in _STANDARD or ports is None or not (ports.rdp or ports.ssh)


def _same(field: str, path: str, equal: str, message: str, *, unless: str = "") -> Rule:
    """``field`` may be neither changed nor added nor removed, unless ``unless`` holds."""
    kept = f"(has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || {equal}))"
    return Rule(f"{unless} || {kept}" if unless else kept, message, path)


# While a host is only observed, these fields ask for nothing, so nothing is fixed yet. A Developer host has none of
# them, and gets them when its SKU is raised.
_NOTHING_MADE = "oldSelf.managementPolicy == 'Observe'"
_NO_OWN_HOST = f"{_NOTHING_MADE} || (has(oldSelf.sku) && oldSelf.sku == 'Developer')"
_MADE_ANEW = "self.replacePolicy == 'Recreate'"

_IMMUTABLE = (
    _same(
        "resourceGroup",
        ".resourceGroup",
        "self.resourceGroup.lowerAscii() == oldSelf.resourceGroup.lowerAscii()",
        f"resourceGroup says which host this is and cannot change, Azure moves no Bastion: {_AGAIN}",
    ),
    _same(
        "azureName",
        ".azureName",
        "self.azureName.lowerAscii() == oldSelf.azureName.lowerAscii()",
        f"azureName says which host this is and cannot change, Azure renames nothing: {_AGAIN}",
    ),
    _same(
        "zones",
        ".zones",
        "(self.zones.size() == oldSelf.zones.size() && self.zones.all(zone, zone in oldSelf.zones))",
        f"zones {_ANEW}",
        unless=f"{_MADE_ANEW} || {_NO_OWN_HOST}",
    ),
    # A prefix may be added: without one the subnet must exist, and where it does not, adding a prefix is the way out.
    Rule(
        f"{_NO_OWN_HOST} || !has(oldSelf.subnetPrefix) || "
        "(has(self.subnetPrefix) && self.subnetPrefix == oldSelf.subnetPrefix)",
        f"subnetPrefix {_FIXED}",
        ".subnetPrefix",
    ),
    _same(
        "publicIP",
        ".publicIP",
        "self.publicIP == oldSelf.publicIP",
        f"publicIP {_ANEW}",
        unless=f"{_MADE_ANEW} || {_NO_OWN_HOST}",
    ),
    Rule(
        f"{_MADE_ANEW} || {_NOTHING_MADE} || "
        "self.?features.?privateOnly.orValue(false) == oldSelf.?features.?privateOnly.orValue(false)",
        f"features.privateOnly {_ANEW}",
        ".features",
    ),
)

IMMUTABLE_NETWORK = Extra(
    rules=(
        Rule(
            "self.lowerAscii() == oldSelf.lowerAscii()",
            f"virtualNetworkID {_FIXED}",
        ),
    )
)

SPEC_RULES = (
    Rule(
        "has(self.sku) || self.managementPolicy == 'Observe'",
        "sku is required: write Developer, Basic, Standard or Premium, or managementPolicy: Observe to watch a host that "
        "something else keeps",
        ".sku",
        lambda spec: spec.sku is not None or spec.management_policy == "Observe",
    ),
    Rule(
        f"!has(self.scaleUnits) || self.scaleUnits == 2 || !has(self.sku) || self.sku in {_STANDARD_CEL}",
        "scaleUnits above 2 need sku Standard or Premium: raise the SKU or leave scaleUnits out",
        ".scaleUnits",
        lambda spec: spec.scale_units in {None, 2} or spec.sku is None or spec.sku in _STANDARD,
    ),
    *(_not_with_developer(field) for field in ("scale_units", "zones", "subnet_prefix", "public_ip")),
    *(_needs_sku(*row) for row in _FEATURES_BY_SKU),
    Rule(
        "!has(self.sku) || self.sku != 'Developer' || !has(self.networkSecurity.allowedSources)",
        "a Developer host is shared and has no AzureBastionSubnet: leave allowedSources out or choose another sku",
        ".networkSecurity",
        lambda spec: spec.sku != "Developer" or spec.network_security.allowed_sources is None,
    ),
    Rule(
        f"!has(self.sku) || self.sku in {_STANDARD_CEL} || "
        "(self.networkSecurity.?ports.?rdp.orValue([]).size() == 0 && "
        "self.networkSecurity.?ports.?ssh.orValue([]).size() == 0)",
        "networkSecurity.ports needs sku Standard or Premium: raise the SKU or leave ports out",
        ".networkSecurity",
        _may_have_ports,
    ),
    Rule(
        "!has(self.publicIP) || self.?features.?privateOnly.orValue(false) == false",
        "a host with features.privateOnly has no public IP address: leave publicIP out",
        ".publicIP",
        lambda spec: spec.public_ip is None or not spec.features.private_only,
    ),
    *_IMMUTABLE,
)

NETWORK_SECURITY_RULES = (
    Rule(
        "!self.?overrideDenies.orValue(false) || self.subnet == 'Enforce' || self.targets == 'Enforce'",
        "overrideDenies asks for rules to be written: set subnet or targets to Enforce, or leave overrideDenies out",
        ".overrideDenies",
        lambda security: not security.override_denies or "Enforce" in (security.subnet, security.targets),
    ),
)

FEATURE_RULES = (
    Rule(
        "!(self.?sessionRecording.orValue(false) && self.?nativeClient.orValue(false))",
        "sessionRecording excludes nativeClient: Azure records no sessions of the native client; turn one of them off",
        ".sessionRecording",
        lambda features: not (features.session_recording and features.native_client),
    ),
)

PUBLIC_IP_RULES = (
    Rule(
        "has(self.name) != has(self.id)",
        "write either name, for an address that the operator makes, or id, for one that exists",
        holds=lambda address: (address.name is None) != (address.id is None),
    ),
)

BASTION_HOST_RULES = (
    Rule(
        f"has(self.spec.azureName) || self.metadata.name.size() <= {MAX_NAME}",
        f"metadata.name is longer than the {MAX_NAME} characters that Azure allows for a host: set spec.azureName",
        ".spec",
        lambda host: host.spec.azure_name is not None or len(host.metadata.name) <= MAX_NAME,
    ),
)
