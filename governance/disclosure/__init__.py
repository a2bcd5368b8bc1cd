"""What may be published of counts: suppression, rounding, margins, differencing (ADR 30)."""
