"""What stays when a process dies."""
