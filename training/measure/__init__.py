"""Commands that measure the product on the user's own images: each prints a table and writes JSON and a sheet."""
