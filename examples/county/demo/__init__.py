"""The main job on the synthetic county: every program as a real process on loopback."""
