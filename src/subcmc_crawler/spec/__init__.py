"""The interface specification V2.0.6 as data. Pure."""
