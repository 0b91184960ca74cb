"""What the lessons import: networks, data sets, and the places where things are kept."""
