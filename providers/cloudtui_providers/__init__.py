"""A cloud a module behind one contract (`base`), found by entry point (`registry`), loaded when used."""
