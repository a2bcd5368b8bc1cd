"""Synthetic rows in submissions: people who do not exist, by whom linkage can be measured."""
