"""Makers of video files, good and bad, for tests of every room. Nothing of it is ever stored.

`clips` draws small clips of any codec and container, whose frames tell their own number;
`bad` makes files that must be refused, each with the error that is due; `mutate` breaks files
at random, the same way for the same seed.
"""
