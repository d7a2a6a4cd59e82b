"""A second opinion on what Azure Bastion reaches: every step of the procedure in its plainest form, one address after the other.

It says for one machine, one Bastion, one protocol and port what stands in the way, by the codes that verdicts are given in.
It shares nothing with who else judges this, and is slow.
"""
