"""The area of settings."""
