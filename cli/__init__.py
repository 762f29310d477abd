"""The command `kartoteka`: for the ERP's author, the operator and the engineer."""
