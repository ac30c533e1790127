"""Nightly pull aggregator for the mobile-police management and control cascade (V2.0.6)."""

__version__ = "0.1.0"
