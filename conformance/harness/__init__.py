"""What the conformance tests stand on: a server of their own, unmodified clients for it, and models to host.

Nothing here knows how Tidegate works inside: it starts the built binary, talks to its port, and looks at /proc.
"""
