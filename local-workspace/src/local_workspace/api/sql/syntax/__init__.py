"""The SQL language as far as the workspace has to understand it. Pure: text in, data out, no I/O."""
