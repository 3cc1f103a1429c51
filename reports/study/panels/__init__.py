"""What the chapters of a study's report are made of; each function of the material gives blocks."""
