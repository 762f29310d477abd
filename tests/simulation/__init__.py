"""A deterministic simulation of the production code: one seed, one history, one trace. See docs/simulation.md."""
