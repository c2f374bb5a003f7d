"""Jobs from clips to bars to files, in the composer process."""
