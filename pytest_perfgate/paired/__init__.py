"""Base against head: environments, workers, protocol and schedule; knows no pytest."""
