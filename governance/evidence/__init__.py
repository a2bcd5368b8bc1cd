"""What an auditor is handed: packs of evidence, and their verification."""
