"""Datasets: the versions, and of one its columns, its classes and its rows."""
