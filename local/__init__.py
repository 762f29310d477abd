"""What stands in for the cloud and for the panel on a laptop."""
