"""The national data opt-out, as NHS England's check answers it."""
