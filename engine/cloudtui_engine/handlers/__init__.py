"""What the engine does for each kind of operation. Every handler may be begun again by the next engine."""
