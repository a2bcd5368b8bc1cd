"""Clerical review: pairs side by side, masked, and rulings."""
