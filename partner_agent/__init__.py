"""The program that each partner runs: clean, encode, submit, consent, release."""
