"""Reports for a programme's own staff: one document, drawn as a page, a workbook and CSV."""
