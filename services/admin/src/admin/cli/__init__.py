"""The `caspers` command line: starts and stops the local workspace, and is a client of the admin's API."""
