"""Every resource type that clients write, as the tests of the SDKs drive it."""

from tests.component.arm_emulator.sdk_types.compute import COMPUTE
from tests.component.arm_emulator.sdk_types.governance import GOVERNANCE
from tests.component.arm_emulator.sdk_types.network import NETWORK
from tests.component.arm_emulator.sdk_types.network_managers import NETWORK_MANAGERS
from tests.component.arm_emulator.sdk_types.private_dns import PRIVATE_DNS
from tests.component.arm_emulator.sdk_types.wide_area import WIDE_AREA

ROWS = (*NETWORK, *WIDE_AREA, *NETWORK_MANAGERS, *COMPUTE, *PRIVATE_DNS, *GOVERNANCE)

NOT_WRITTEN = {
    "Microsoft.Resources/subscriptions": "made outside ARM: test_subscriptions_and_the_tenant reads them",
    "Microsoft.Network/privateDnsZones/SOA": "every zone has one: test_the_start_of_authority_of_a_zone changes it",
    "Microsoft.Compute/virtualMachineScaleSets/virtualMachines": "made by its set: test_instances_of_a_uniform_scale_set",
    "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/networkInterfaces": "the same",
}
"""Types that no client creates or deletes, and where they are tested."""
