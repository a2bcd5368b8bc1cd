"""The ``partner-agent`` command line."""
