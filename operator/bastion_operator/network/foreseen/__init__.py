"""An estate as it would be after changes that nobody has made: those of a plan of the operator's or of another tool's."""
