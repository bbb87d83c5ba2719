"""One question and the reply to it: an account is leased, asked and given back, and time is kept."""
