"""What holds for all of a project."""
