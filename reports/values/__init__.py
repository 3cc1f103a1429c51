"""Values of the A and M fields of the outline: one small function per field."""
