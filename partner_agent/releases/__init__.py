"""Answering orders: verify against the own mirror, apply local rules, seal, send."""
