"""The work queue and the passes: observe, plan, apply, publish."""
