"""What needs the set of packages of differential privacy: imported by nobody at start."""
