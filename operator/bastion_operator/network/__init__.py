"""Pure knowledge of Azure networking: inventory, prefixes, security rules, peering, SKUs, reachability."""
