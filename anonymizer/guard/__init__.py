"""What may not be seen: holes, their erasure, and the cover of last resort."""
