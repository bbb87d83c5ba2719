"""`python -m app.doctor`: looks at a gateway that does not work, says what it is and what to do."""
