"""What to do with a kept model: predict raw rows, and export it as a program that needs no mtbalance."""
