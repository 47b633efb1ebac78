"""The presets, one TOML file each. `balanced.toml` holds every setting; the others hold what differs from it."""
