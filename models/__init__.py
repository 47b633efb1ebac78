"""The networks and their export; torch lives here and in `training`, never in the installed package."""
