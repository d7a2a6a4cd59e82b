"""The main job from end to end, on a real API server and a local Azure: `python -m dev.demo`."""
