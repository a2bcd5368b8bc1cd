"""Figures for a programme's own staff, as files: needs, areas, teams, later referral (ADR 45)."""
