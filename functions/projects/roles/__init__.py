"""What members may do: the roles of a project."""
