"""What pages are made of: layout, words, components, forms, headers. It knows of no account."""
