"""Encodings to candidate pairs to persons; pure functions on numpy arrays."""

import warnings

# anonlink 0.15.3 imports pkg_resources, which says at each start that it is deprecated.
warnings.filterwarnings("ignore", message="pkg_resources is deprecated", category=UserWarning)
