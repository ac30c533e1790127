"""Provincial centres for demo, tests and benchmark."""
