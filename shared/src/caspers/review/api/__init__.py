"""What the JSON of every reviewers' console has: the routes that are alike, and the shapes that a console's own build on."""
