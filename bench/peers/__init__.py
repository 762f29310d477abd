"""Programs that do a part of Kartoteka's work in another way, each run as a process of its own.

They read the ERP's rows from an SQLite file and write them to the stand-in panel in batches of 100, one way. They know
nothing of Kartoteka's code.
"""
