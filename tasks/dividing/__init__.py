"""How the items of a data set are divided into train, validation and test."""
