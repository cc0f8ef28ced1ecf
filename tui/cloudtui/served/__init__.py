"""The desktop in a browser on this machine: textual-serve, closed to everything but loopback."""
