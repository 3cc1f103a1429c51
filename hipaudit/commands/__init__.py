"""One file per command; each has `command`, imported only when it is asked for."""
