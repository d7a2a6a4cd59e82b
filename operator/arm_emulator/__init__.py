"""A local Azure Resource Manager for networking."""

__version__ = "0.1.0"
