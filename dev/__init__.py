"""Development tools: the local control plane and the demo. Nothing here is shipped."""
