"""What clients speak: a package for each format, pure, and none knows another."""
