"""Re-identification of one family for an approach: request, approval, order, sealing."""
