"""The ports in plain Python, for tests that run the engine many times. They pass the same contract suites."""
