"""Measures the gateway: a load generator, the matrix of loads and the tables that come out of it."""
