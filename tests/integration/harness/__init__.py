"""Starts and ends what integration tests, the demo and measurements need: a broker, a store, a simulated park, our programs.

Everything listens on a free loopback port, and whoever starts a program is sure that the listener is its own child.
"""
