"""A real etcd and kube-apiserver on loopback, for tests and the demo.

    from dev.control_plane import ControlPlane

    with ControlPlane() as control_plane:                    # finds or builds the programs, ready in seconds
        control_plane.kubectl("apply", "--server-side", "-f", "crds/")
        path = control_plane.kubeconfig                      # full rights; never the user's own file
        operator = control_plane.kubeconfig_for("bastion-operator", namespace="bastion-system")
        control_plane.stop_api_server()                      # an outage; etcd keeps the data
        control_plane.start_api_server()                     # on the same port

Every call blocks; from a coroutine use ``await asyncio.to_thread(control_plane.start)``. The processes end with the
process that started them, even if that is killed. There is no controller-manager: nothing collects garbage by
ownerReference, empties a deleted namespace or makes default ServiceAccounts.

In pytest use the fixtures of ``tests.support.control_plane``. On a command line: ``python -m dev.control_plane``.
"""

from dev.control_plane.errors import ControlPlaneError, KubectlError, ProgramsError, StartError
from dev.control_plane.programs import Programs, find_programs
from dev.control_plane.server import ControlPlane

__all__ = [
    "ControlPlane",
    "ControlPlaneError",
    "KubectlError",
    "Programs",
    "ProgramsError",
    "StartError",
    "find_programs",
]
