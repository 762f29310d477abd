"""The mechanism: collect which records have something to be done, reconcile them. It names no concern and no field."""
