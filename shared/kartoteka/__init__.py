"""Kartoteka keeps customer records in step between an ERP's exchange database and an IdoSell panel."""
