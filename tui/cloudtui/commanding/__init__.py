"""The line `:`: what was typed is read by the parser of the command line, and completed from the registry."""
