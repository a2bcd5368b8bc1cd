"""The public register: what anybody may see, without signing in."""
