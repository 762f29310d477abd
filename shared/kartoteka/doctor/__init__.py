"""Finds out what a real panel, an exchange database and a stack do where nobody can know it in advance.

A tool: it may know the adapters, whose own requests and readers it tries. Nothing imports it but the command.
"""
