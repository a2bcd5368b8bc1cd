"""Reports of figures for staff, kept at the hub and shown in the console (ADR 47)."""
