"""The whole job at growing sizes, from extracts to persons and families, beside Splink."""
