"""kopf's watches, which feed keys to the work queue and decide nothing."""
