"""Families for consideration, requests, orders, and the relay of sealed items."""
