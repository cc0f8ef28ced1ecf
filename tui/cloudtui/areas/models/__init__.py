"""Models: the versions with their lineage, files, and what was found out about each."""
