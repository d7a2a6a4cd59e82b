"""Names and ids of Azure as fields: what they look like, how long they are, and what to say to what is none.

Lengths and characters are those of Microsoft's "Naming rules and restrictions for Azure resources".
Azure compares them without regard to case, and so does everything here.
"""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from bastion_operator.api.ipv4_prefix import IPv4Prefix
from bastion_operator.api.model import Extra, Matches, Rule

_UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# Azure allows letters of every script here, which Python's and RE2's \w do not agree on, as little as on \s: forbid instead of
# allow, and name what is no letter.
_NO_LETTER = r"\x00-\x20\x7f-\xa0/\\<>%&?#:;,"
_GROUP = f"[^{_NO_LETTER}]{{0,89}}[^{_NO_LETTER}.]"
_NAME = "[0-9A-Za-z]([-0-9A-Za-z_.]{0,78}[0-9A-Za-z_])?"
_VNET_NAME = "[0-9A-Za-z][-0-9A-Za-z_.]{0,62}[0-9A-Za-z_]"
_WORKSPACE_NAME = "[0-9A-Za-z][-0-9A-Za-z]{2,61}[0-9A-Za-z]"
_NETWORK = f"(?i)/subscriptions/{_UUID}/resourceGroups/{_GROUP}/providers/Microsoft.Network/"
_NETWORK_FORM = "/subscriptions/<subscription id>/resourceGroups/<group>/providers/Microsoft.Network"

# 36 for the subscription, 90 for the group, 64 or 80 for a name, and the words between them.
_VNET_ID_LENGTH = 272
_PUBLIC_IP_ID_LENGTH = 288
_SUBNET_ID_LENGTH = 364
_WORKSPACE_ID_LENGTH = 288

VirtualNetworkID = Annotated[
    str,
    Field(max_length=_VNET_ID_LENGTH),
    Matches(
        f"{_NETWORK}virtualNetworks/{_VNET_NAME}",
        f"must be the ARM id of a virtual network: {_NETWORK_FORM}/virtualNetworks/<name>",
    ),
]
PublicIPAddressID = Annotated[
    str,
    Field(max_length=_PUBLIC_IP_ID_LENGTH),
    Matches(
        f"{_NETWORK}publicIPAddresses/{_NAME}",
        f"must be the ARM id of a public IP address: {_NETWORK_FORM}/publicIPAddresses/<name>",
    ),
]
SubnetID = Annotated[
    str,
    Field(max_length=_SUBNET_ID_LENGTH),
    Matches(
        f"{_NETWORK}virtualNetworks/{_VNET_NAME}/subnets/{_NAME}",
        f"must be the ARM id of a subnet: {_NETWORK_FORM}/virtualNetworks/<name>/subnets/<name>",
    ),
]
WorkspaceID = Annotated[
    str,
    Field(max_length=_WORKSPACE_ID_LENGTH),
    Matches(
        f"(?i)/subscriptions/{_UUID}/resourceGroups/{_GROUP}/providers/Microsoft.OperationalInsights/workspaces/{_WORKSPACE_NAME}",
        "must be the ARM id of a Log Analytics workspace: /subscriptions/<subscription id>/resourceGroups/<group>/providers/"
        "Microsoft.OperationalInsights/workspaces/<name>",
    ),
]
ResourceGroupName = Annotated[
    str,
    Field(max_length=90),
    Matches(
        _GROUP,
        "must be the name of a resource group, not its id: up to 90 letters, digits, _ - . ( ), not ending in a period",
    ),
]
AzureName = Annotated[
    str,
    Field(max_length=80),
    Matches(
        _NAME,
        "must be a name that Azure takes: up to 80 letters, digits, _ . -, starting with a letter or digit and ending "
        "with a letter, digit or _",
    ),
]
UUID = Annotated[
    str,
    Field(max_length=36),
    Matches(_UUID, "must be a UUID such as 00000000-1111-2222-3333-444444444444"),
]
ObjectName = Annotated[
    str,
    Field(max_length=253),
    Matches(
        r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?",
        "must be the name of a Kubernetes object: lower-case letters, digits, - and ., up to 253 characters",
    ),
]

AUTO: Final = "Auto"
SubnetPrefix = Annotated[
    str,
    Field(max_length=18),
    IPv4Prefix(
        or_one_of=(AUTO,),
        smallest=26,
        message="must be Auto, or an IPv4 prefix of /26 or larger without host bits, such as 10.0.1.0/26: Azure Bastion "
        "needs at least 64 addresses",
    ),
]
"""An IPv4 prefix of /26 or larger, or ``Auto``."""

AllowedSource = Annotated[
    str,
    Field(max_length=18),
    IPv4Prefix(
        or_one_of=("Internet", "VirtualNetwork"),
        message="must be an IPv4 prefix without host bits such as 203.0.113.0/24 (/32 for one address), or one of the service "
        "tags Internet and VirtualNetwork: Azure Bastion takes no other tag there",
    ),
]
"""An IPv4 prefix, or a service tag from which Azure lets clients come to Bastion."""

# Read back from Azure and only shown: any id that Azure may answer with.
ArmID = Annotated[str, Field(max_length=512)]

_NO_TAG_NAME = r"tag names have 1 to 512 characters and none of < > % & \ ? /"


def _tag_names(tags: dict[str, str]) -> dict[str, str]:
    for name in tags:
        if re.fullmatch(r"[^<>%&\\?/]{1,512}", name, re.DOTALL) is None:
            raise PydanticCustomError("no_tag_name", "{message}", {"message": _NO_TAG_NAME})
    return tags


Tags = Annotated[
    dict[str, Annotated[str, Field(max_length=256)]],
    Field(max_length=45),
    AfterValidator(_tag_names),
    Extra(
        rules=(
            Rule(
                r"self.all(name, name.size() >= 1 && name.size() <= 512 && !name.matches('[<>%&\\\\?/]'))",
                _NO_TAG_NAME,
            ),
        )
    ),
]
"""Tags within Azure's limits (50 of them, five left for the operator's own marks)."""
