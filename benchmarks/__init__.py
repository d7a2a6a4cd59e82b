"""What it costs: each benchmark prints JSON lines of ratios within one run. `python -m benchmarks`."""
