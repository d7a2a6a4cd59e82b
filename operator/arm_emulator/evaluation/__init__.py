"""Azure's own view of a flow: effective rules and routes, and an opinion on Bastion's. Rule by rule, with `ipaddress` alone."""
