"""A watch by kopf of the operator's kinds, and nothing else: what the operator's processor time and memory stand beside.

``python -m benchmarks.bare_watch``; ends with SIGTERM.
"""

import asyncio
from typing import Any

import kopf

GROUP, VERSION = "azurebastion.dev", "v1beta1"


async def main() -> None:
    """Watches until it is ended."""
    registry = kopf.OperatorRegistry()
    seen: dict[str, Any] = {}

    def noted(body: Any, **_: Any) -> None:
        seen[body["metadata"]["uid"]] = dict(body)

    kopf.on.login(registry=registry)(kopf.login_with_kubeconfig)
    for plural in ("azureidentities", "bastionhosts", "vnetpeerings"):
        kopf.on.event(GROUP, VERSION, plural, registry=registry)(noted)
    settings = kopf.OperatorSettings()
    settings.scanning.disabled = True
    settings.posting.enabled = False
    await kopf.operator(registry=registry, settings=settings, clusterwide=True, standalone=True)


if __name__ == "__main__":
    asyncio.run(main())
