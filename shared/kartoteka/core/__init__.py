"""The pure core: no clock, no I/O, no environment. Everything here can be tried with plain values."""
