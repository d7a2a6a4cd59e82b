"""Microsoft.Network/applicationSecurityGroups."""

from arm_emulator.cloud import Cloud
from arm_emulator.errors import bad_request
from arm_emulator.operations import Timing
from arm_emulator.resource_types.base import ResourceType
from arm_emulator.store import Resource


class ApplicationSecurityGroups(ResourceType):
    """A name for interfaces that rules refer to; a PUT that changes nothing ends at once, and one in use is not deleted."""

    name = "Microsoft.Network/applicationSecurityGroups"
    create = Timing(1, (1,))
    silent_when_unchanged = True
    delete = Timing(2, (10,))

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        users = cloud.store.referrers(item.key, "applicationSecurityGroup")
        if users:
            raise bad_request(
                "InUseApplicationSecurityGroupCannotBeDeleted",
                f"Application security group {item.id} cannot be deleted because it is in use by the following "
                f"resources: {', '.join(user.element for user in users)}.",
            )
