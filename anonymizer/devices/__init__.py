"""What the machine has of cameras and virtual cameras, and what is missing."""
