"""Records as files for others: HTML reports, curves as SVG, points as CSV. Pure: from records to text."""
