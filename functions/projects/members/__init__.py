"""The people of a project, and which role each has."""
