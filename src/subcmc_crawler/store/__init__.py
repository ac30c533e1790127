"""MongoDB: the only room that imports the driver."""
