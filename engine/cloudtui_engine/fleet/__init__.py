"""Rented machines: asked for, made once, watched, given back. See engine/DESIGN.md, "The fleet"."""
