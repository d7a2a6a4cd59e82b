"""api-versions that each type takes: every stable one since November 2023, and the older ones that clients still send.

Sources: the folders below `stable` of Azure/azure-rest-api-specs (specification/network, compute, privatedns and resources) and the
lists of versions that azure-mgmt-network 33.1 and azure-mgmt-compute 39.0 carry.
"""

NETWORK = (
    "2026-03-01", "2026-01-01", "2025-09-01", "2025-07-01", "2025-05-01", "2025-03-01", "2025-01-01", "2024-10-01",
    "2024-07-01", "2024-05-01", "2024-03-01", "2024-01-01", "2023-11-01", "2023-09-01", "2023-06-01", "2023-05-01",
    "2023-04-01", "2023-02-01", "2022-11-01", "2022-09-01", "2022-07-01", "2022-05-01", "2022-01-01", "2021-08-01",
    "2021-05-01", "2021-03-01", "2021-02-01", "2020-11-01",
)  # fmt: skip
COMPUTE = (
    "2026-04-01", "2026-03-01", "2025-11-01", "2025-04-01", "2024-11-01", "2024-07-01", "2024-03-01", "2023-09-01",
    "2023-07-01", "2023-03-01",
    "2022-11-01", "2022-08-01", "2022-03-01", "2021-11-01", "2021-07-01", "2021-03-01",
)  # fmt: skip
PRIVATE_DNS = ("2024-06-01", "2020-06-01", "2020-01-01", "2018-09-01")
# The interfaces of scale-set instances are Microsoft.Network's below Microsoft.Compute's path; SDKs still ask with 2018-10-01.
INSTANCE_INTERFACES = (*NETWORK, "2018-10-01")
RESOURCES = (
    "2025-04-01", "2025-03-01", "2024-11-01", "2024-07-01", "2024-03-01", "2023-07-01", "2022-12-01", "2022-09-01",
    "2022-01-01", "2021-04-01", "2021-01-01", "2020-10-01", "2020-06-01", "2020-01-01", "2019-11-01", "2019-10-01",
    "2019-06-01", "2019-05-01", "2018-05-01", "2016-06-01",
)  # fmt: skip

SUBNETS_SURVIVE_A_PUT_WITHOUT_THEM = "2023-09-01"
