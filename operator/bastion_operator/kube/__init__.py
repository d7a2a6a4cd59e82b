"""The only room that talks to Kubernetes, kopf's watches aside."""
