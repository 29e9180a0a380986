"""assist: live help for the human agents of a retailer's contact centre."""

__version__ = "0.1.0"
