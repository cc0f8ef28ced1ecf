"""Compression: smaller and faster variants of a model, each with its verdict."""
