"""One module per command. Each is imported only when it is asked for: the platform's SDK alone takes seconds."""
