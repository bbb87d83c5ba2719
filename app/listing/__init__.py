"""What a caller may choose from beyond the names that are always there: asked when somebody looks."""
