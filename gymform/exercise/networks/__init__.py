"""Networks that name exercises, a file each, and the registry that knows them all."""
