"""Frozen records: what the catalog holds, as plain values. A file a noun.

Times are seconds since the epoch (UTC, float) and None where unknown; sizes are bytes; money is US dollars.
"""
