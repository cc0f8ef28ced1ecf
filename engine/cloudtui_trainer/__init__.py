"""The bundled trainer: shipped to hosts as it is; needs Python 3.10, torch 2.6 and numpy there.

`__main__` starts it, `train` is the loop, a task is a file in `tasks`, a model one in `models`.
"""

VERSION = "1"
"""Written into what it leaves."""
