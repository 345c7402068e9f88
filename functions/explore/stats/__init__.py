"""How a project does, and which way its events take: from counts alone, never from rows."""
