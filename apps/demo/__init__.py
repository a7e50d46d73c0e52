"""The demonstration: two program years of generated people, sent through the HTTP application as coaches would.

`plan` is pure: seed, size and last day give the same steps for ever. `driver` sends them, `showcase` shows what
followed. Everybody in it is invented.
"""
