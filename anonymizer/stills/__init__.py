"""Photos in memory: their pixels, their few tags that may live on. No files here."""
