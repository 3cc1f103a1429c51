"""Panels: the tables and pictures of the sections, each a function of Material."""
