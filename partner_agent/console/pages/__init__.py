"""The console's pages, by what the data officer wants to do."""
