"""What a person asks and decides, as plain data: the commands and the pages say the same."""
