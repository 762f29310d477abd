"""What is known of the synchronised fields: the table of them, how values are written, compared and counted."""
