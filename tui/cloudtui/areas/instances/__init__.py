"""Instances: the machines, and what is known of one."""
