"""The data sets: their files, how they are split, what they share, and the images rendered from them."""
