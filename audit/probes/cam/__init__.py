"""Heat maps of one image for one class, by methods that differ in how they come about."""
