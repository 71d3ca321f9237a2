"""What the words mean: (field, words, moment) to understood, unclear or refused."""
