"""Attacks on encodings: who can be named by a party that holds them and a list of people."""
