"""Clerical review: pairs that an analyst rules on, and rulings that later runs obey."""
