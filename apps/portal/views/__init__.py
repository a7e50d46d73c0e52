"""What pages show: small frozen view models, made by pure functions from the shapes of the HTTP interface."""
