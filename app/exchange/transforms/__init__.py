"""What a request wants done to the events of its answer, one module a wish."""
