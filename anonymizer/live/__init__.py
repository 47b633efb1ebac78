"""The real-time path: newest-wins slots, one thread a stage, a paced sender, a watchdog, and figures of all of it."""
