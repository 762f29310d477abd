"""What synchronising asks of the world, in our own words; every implementation passes ``tests/contract``.

A port raises Retry or Halt when a whole call failed; what is wrong with one record is an answer, never an exception.
"""
