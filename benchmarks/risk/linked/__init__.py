"""The models of ``benchmarks.risk`` on families that were linked, beside true families."""
