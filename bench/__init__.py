"""Side-by-side measurements. `python -m bench [name ...]` prints one JSON line a figure."""
