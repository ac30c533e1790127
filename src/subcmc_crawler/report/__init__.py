"""A run as a report model, and its renderings. Pure."""
