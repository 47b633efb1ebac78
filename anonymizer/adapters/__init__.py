"""Files and cameras: the only doors to the outside. They never know each other."""
