"""What there is to see of the demo: stages, resources, parameters, workers' figures, and whether all is as it should be."""
