"""A synthetic county with ground truth. Every person, address and number in it is invented."""
