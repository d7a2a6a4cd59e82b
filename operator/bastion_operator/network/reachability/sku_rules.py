"""Step 9: what the SKU allows to ask for."""

from collections.abc import Iterator

from bastion_operator.network.codes import finding
from bastion_operator.network.finding import Finding
from bastion_operator.network.reachability.question import Question
from bastion_operator.network.reachability.verdict import DEFAULT_PORTS, Protocol
from bastion_operator.network.sku import supports
from bastion_operator.network.virtual_machine import OperatingSystem

_OWN_PROTOCOL = {OperatingSystem.WINDOWS: Protocol.RDP, OperatingSystem.LINUX: Protocol.SSH}


def sku_findings(question: Question) -> Iterator[Finding]:
    """RDP to Linux, SSH to Windows and ports of one's own need Standard or Premium."""
    bastion, vm, asked = question.host.bastion, question.target.vm, question.asked
    free = bastion.sku is not None and supports(bastion.sku, "anyProtocolAndPort")
    if asked.assumed or (vm.operating_system is None and not free):
        message = f"the operating system of {vm.name} is not known (storageProfile.osDisk.osType)"
        yield finding("EffectiveDataUnavailable", message, resource=vm.id)
    elif not free and _OWN_PROTOCOL.get(vm.operating_system or OperatingSystem.LINUX) is not asked.protocol:
        if bastion.sku is None:
            return
        yield finding(
            "ProtocolNotSupportedBySku",
            f"{asked.protocol} to {vm.operating_system} needs SKU Standard or Premium, and Bastion {bastion.name} is"
            f" {bastion.sku}: upgrade it",
            resource=bastion.id,
        )
    if asked.custom_port and bastion.sku is not None and not free:
        yield finding(
            "CustomPortNotSupported",
            f"port {asked.port} instead of {DEFAULT_PORTS[asked.protocol]} needs SKU Standard or Premium, and Bastion"
            f" {bastion.name} is {bastion.sku}: upgrade it",
            resource=bastion.id,
        )
