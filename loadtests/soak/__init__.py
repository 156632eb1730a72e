"""Long run of mixed valid and invalid requests at half of the peak rate: `python -m loadtests.soak`."""
