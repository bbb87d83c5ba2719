"""How the gateway is, as numbers: `counters.py` counts, `exposition.py` writes it all down for Prometheus."""
