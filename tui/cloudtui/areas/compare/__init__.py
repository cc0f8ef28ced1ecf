"""Several runs beside each other: what differs, their curves, what each reached."""
