"""What learns symbols one after the other: texts, tunes, histories. None of it knows which of them it is."""
