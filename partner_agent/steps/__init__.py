"""What a command and a page of the console do alike: whole steps, over the parts of one agent."""
