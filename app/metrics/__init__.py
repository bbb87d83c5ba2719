"""How the gateway is, as numbers: `tally.py` counts, `exposition.py` writes it all down for Prometheus."""
