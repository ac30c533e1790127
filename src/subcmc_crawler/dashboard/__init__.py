"""The nights in a browser: server-rendered pages over the store, which they only read."""
