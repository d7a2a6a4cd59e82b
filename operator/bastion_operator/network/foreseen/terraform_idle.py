"""What of a Terraform plan no verdict hangs on: it neither carries nor filters what goes from a Bastion to a VM."""

import re
from typing import Final

HARMLESS: Final = re.compile(
    "azurerm_(resource_group|management_lock|private_dns_zone|availability_set"
    "|proximity_placement_group|managed_disk|virtual_machine_data_disk_attachment|virtual_machine_extension|image|ssh_public_key"
    "|nat_gateway|subnet_nat_gateway_association|nat_gateway_public_ip_association|network_watcher|network_watcher_flow_log"
    "|public_ip_prefix|network_ddos_protection_plan|user_assigned_identity|service_plan|app_service_plan"
    "|(role|storage|key_vault|log_analytics|monitor|application_insights|container_registry|dns|cosmosdb|servicebus|eventhub"
    "|redis|mssql|postgresql|mysql|automation|backup|recovery_services|shared_image|lb|maintenance|consumption"
    "|private_dns_(a|aaaa|cname|mx|ptr|srv|txt)|linux_web_app|windows_web_app|function_app)(_.*)?)"
)
"""Types of resources."""

IDLE_ARGUMENTS: Final = re.compile(
    "tags|admin_.*|custom_data|user_data|os_disk|storage_.*_disk|identity|boot_diagnostics|plan|source_image.*|size|vm_size"
    "|computer_name|dns_.*|domain_name_label|secret|os_profile.*|additional_.*|license_type|priority_.*|timeouts|bgp_community"
)
"""Arguments of those types that are understood."""
