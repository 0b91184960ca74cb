"""The full trainer behind lesson 12: `python -m shared.training`, or `make train`."""
