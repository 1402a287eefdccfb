"""From what is wanted to what is there: the plan, and carrying it out call by call so that it may be killed anywhere."""
