"""A trainer that learns nothing: it takes the bundled one's place where PYTHONPATH names the folder above."""
