"""How to connect through a Bastion: the command of az, or the portal's page. Pure.

Source: Microsoft's pages "Connect to a VM using a native client" and the reference of ``az network bastion``: ssh, rdp and
tunnel take the VM by id, or over IP-connect its address; rdp runs on Windows alone; over IP-connect nobody signs in with Entra.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bastion_operator.cli.errors import Refusal
from bastion_operator.network.arm_id import parse_arm_id
from bastion_operator.network.reachability import DEFAULT_PORTS, Method, Protocol, Reachability, Verdict, Via

PORTAL: Final = "https://portal.azure.com"
_SSH, _RDP, _TUNNEL, _PORTAL = "ssh", "rdp", "tunnel", "portal"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks for; None leaves it to what fits."""

    method: str | None = None
    user: str | None = None
    ssh_key: str | None = None
    local_port: int | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """What of the VM and of this machine the verdict does not hold.

    :ivar tenant: the VM's tenant, None where nobody says it
    :ivar address: the VM's private address, for IP-connect
    :ivar windows: this machine runs Windows
    """

    tenant: str | None = None
    address: str | None = None
    windows: bool = False


def connection(verdict: Verdict, wanted: Wanted, way: Way) -> tuple[str, ...] | str:
    """The command, as its words, or the address of the portal's page. Raises Refusal for what does not go together."""
    method = wanted.method or _best(verdict, way)
    _check(verdict, wanted, method)
    if method == _PORTAL:
        at = f"#@{way.tenant}/resource" if way.tenant else "#resource"
        # Over IP-connect the portal connects from the Bastion's own page.
        page = verdict.bastion if verdict.via is Via.IP_CONNECT else f"{verdict.vm}/bastionHost"
        return f"{PORTAL}/{at}{page}"
    return tuple(_command(verdict, wanted, way, method))


def _best(verdict: Verdict, way: Way) -> str:
    if Method.NATIVE_CLIENT not in verdict.methods:
        return _PORTAL
    if verdict.protocol is Protocol.SSH:
        return _SSH
    return _RDP if way.windows else _TUNNEL


def _check(verdict: Verdict, wanted: Wanted, method: str) -> None:
    if verdict.verdict is Reachability.REACHABLE and method != _PORTAL and Method.NATIVE_CLIENT not in verdict.methods:
        raise Refusal(
            f"{verdict.vm_name} is reached without the native client: the Bastion has it off, or its SKU has none",
            "leave --method out for the portal, or set features.nativeClient: true (Standard or Premium)",
        )
    if verdict.protocol is Protocol.RDP and method == _SSH:
        raise Refusal(
            f"{verdict.vm_name} is asked for by RDP, which --method ssh does not speak", "give --protocol SSH as well"
        )
    if verdict.protocol is Protocol.SSH and method == _RDP:
        raise Refusal(
            f"{verdict.vm_name} is asked for by SSH, which --method rdp does not speak", "give --protocol RDP as well"
        )
    if (wanted.user or wanted.ssh_key) and method != _SSH:
        raise Refusal(
            f"--user and --ssh-key are for ssh, and the method is {method}", "leave them out, or give --method ssh"
        )
    if wanted.ssh_key and not wanted.user:
        raise Refusal("--ssh-key needs to know whose key it is", "give --user NAME as well")
    if wanted.local_port and method != _TUNNEL:
        raise Refusal(
            f"--local-port is for a tunnel, and the method is {method}", "leave it out, or give --method tunnel"
        )
    if verdict.via is Via.IP_CONNECT and method == _SSH and not wanted.user:
        raise Refusal(
            "over IP-connect nobody signs in with Entra", "give --user NAME, and --ssh-key FILE where there is one"
        )


def _command(verdict: Verdict, wanted: Wanted, way: Way, method: str) -> Iterator[str]:
    assert verdict.bastion is not None
    bastion = parse_arm_id(verdict.bastion)
    yield from ("az", "network", "bastion", method)
    yield from ("--subscription", bastion.subscription or "", "--resource-group", bastion.resource_group or "")
    yield from ("--name", bastion.name)
    if verdict.via is Via.IP_CONNECT:
        if way.address is None:
            raise Refusal(
                f"{verdict.vm_name} is reached by its address, and the cluster's reports do not hold it",
                "ask Azure with --azure, or files with --from FILE",
            )
        yield from ("--target-ip-address", way.address)
    else:
        yield from ("--target-resource-id", verdict.vm)
    if method == _TUNNEL:
        yield from ("--resource-port", str(verdict.port), "--port", str(wanted.local_port or verdict.port))
    elif verdict.port != DEFAULT_PORTS[verdict.protocol]:
        yield from ("--resource-port", str(verdict.port))
    if method == _SSH:
        yield from _sign_in(wanted)


def _sign_in(wanted: Wanted) -> Iterator[str]:
    if wanted.user is None:
        yield from ("--auth-type", "AAD")
    elif wanted.ssh_key is None:
        yield from ("--auth-type", "password", "--username", wanted.user)
    else:
        yield from ("--auth-type", "ssh-key", "--username", wanted.user, "--ssh-key", wanted.ssh_key)
