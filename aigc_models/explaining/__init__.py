"""Why a model decided so: what each word of a text adds to the log-probability of a label."""
