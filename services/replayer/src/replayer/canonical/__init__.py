"""Our own canonical dataset: a pure function of a number of days and a seed, vectorised over whole cities."""
