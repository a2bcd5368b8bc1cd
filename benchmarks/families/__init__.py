"""Households and families against the truth, beside grouping by address; calibration; months."""
