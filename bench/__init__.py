"""The benchmark: `make bench`. What a first load, a quiet minute and some edits cost, side by side with a peer."""
