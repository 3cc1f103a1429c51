"""Radiographs of any kind to PNG without metadata, and the de-identified manifest that is kept."""
