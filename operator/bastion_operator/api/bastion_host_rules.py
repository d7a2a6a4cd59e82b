"""What crosses the fields of a BastionHost or may not change, as CEL rules.

The SKU rules are those of Microsoft's "Azure Bastion configuration settings" and "Choose the right Azure Bastion SKU".
"""

from bastion_operator.api.model import Extra, Rule

_AGAIN = "delete this BastionHost and apply it again with the new value"
_FIXED = f"is fixed by Azure at creation: {_AGAIN}"
_ANEW = f"{_FIXED}, or set replacePolicy: Recreate to have the host deleted and made anew"
_STANDARD = "['Standard', 'Premium']"

# A feature is judged where the SKU is named: an observed host need not name one.
_FEATURES_BY_SKU = (
    ("nativeClient", "true", _STANDARD, "features.nativeClient needs sku Standard or Premium"),
    ("ipConnect", "true", _STANDARD, "features.ipConnect needs sku Standard or Premium"),
    ("shareableLink", "true", _STANDARD, "features.shareableLink needs sku Standard or Premium"),
    ("fileCopy", "true", _STANDARD, "features.fileCopy needs sku Standard or Premium"),
    ("copyPaste", "false", _STANDARD, "features.copyPaste: false needs sku Standard or Premium"),
    ("kerberos", "true", "['Basic', 'Standard', 'Premium']", "features.kerberos needs sku Basic, Standard or Premium"),
    ("privateOnly", "true", "['Premium']", "features.privateOnly needs sku Premium"),
    ("sessionRecording", "true", "['Premium']", "features.sessionRecording needs sku Premium"),
)


def _needs_sku(feature: str, value: str, skus: str, message: str) -> Rule:
    unset = "false" if value == "true" else "true"
    return Rule(
        f"!has(self.sku) || self.sku in {skus} || self.?features.?{feature}.orValue({unset}) == {unset}",
        f"{message}: raise the SKU or leave the feature out",
        ".features",
    )


def _not_with_developer(field: str) -> Rule:
    return Rule(
        f"!has(self.sku) || self.sku != 'Developer' || !has(self.{field})",
        f"a Developer host is shared and has no {field}: leave {field} out or choose another sku",
        f".{field}",
    )


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
    ),
    Rule(
        f"!has(self.scaleUnits) || self.scaleUnits == 2 || !has(self.sku) || self.sku in {_STANDARD}",
        "scaleUnits above 2 need sku Standard or Premium: raise the SKU or leave scaleUnits out",
        ".scaleUnits",
    ),
    *(_not_with_developer(field) for field in ("scaleUnits", "zones", "subnetPrefix", "publicIP")),
    *(_needs_sku(*row) for row in _FEATURES_BY_SKU),
    Rule(
        "!has(self.sku) || self.sku != 'Developer' || !has(self.networkSecurity.allowedSources)",
        "a Developer host is shared and has no AzureBastionSubnet: leave allowedSources out or choose another sku",
        ".networkSecurity",
    ),
    Rule(
        f"!has(self.sku) || self.sku in {_STANDARD} || "
        "(self.networkSecurity.?ports.?rdp.orValue([]).size() == 0 && "
        "self.networkSecurity.?ports.?ssh.orValue([]).size() == 0)",
        "networkSecurity.ports needs sku Standard or Premium: raise the SKU or leave ports out",
        ".networkSecurity",
    ),
    Rule(
        "!has(self.publicIP) || self.?features.?privateOnly.orValue(false) == false",
        "a host with features.privateOnly has no public IP address: leave publicIP out",
        ".publicIP",
    ),
    *_IMMUTABLE,
)

NETWORK_SECURITY_RULES = (
    Rule(
        "!self.?overrideDenies.orValue(false) || self.subnet == 'Enforce' || self.targets == 'Enforce'",
        "overrideDenies asks for rules to be written: set subnet or targets to Enforce, or leave overrideDenies out",
        ".overrideDenies",
    ),
)

FEATURE_RULES = (
    Rule(
        "!(self.?sessionRecording.orValue(false) && self.?nativeClient.orValue(false))",
        "sessionRecording excludes nativeClient: Azure records no sessions of the native client; turn one of them off",
        ".sessionRecording",
    ),
)

PUBLIC_IP_RULES = (
    Rule(
        "has(self.name) != has(self.id)",
        "write either name, for an address that the operator makes, or id, for one that exists",
    ),
)

BASTION_HOST_RULES = (
    Rule(
        "has(self.spec.azureName) || self.metadata.name.size() <= 80",
        "metadata.name is longer than the 80 characters that Azure allows for a host: set spec.azureName",
        ".spec",
    ),
)
