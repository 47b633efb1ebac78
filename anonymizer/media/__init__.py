"""Moving pictures and sound in memory: colour, depth, encoders, subtitles. No files here."""
