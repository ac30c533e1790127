"""One provincial centre: its registration, its pace, its pages."""
