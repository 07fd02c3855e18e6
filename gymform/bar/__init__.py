"""The bar: where its plate is in a film, how large it is, and how it moves."""
