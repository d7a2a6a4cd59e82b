"""Pure functions from (spec, observed, time) to a plan: the changes to make and the findings to publish."""
