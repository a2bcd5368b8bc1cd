"""Benchmarks: each prints this project beside its peers."""
