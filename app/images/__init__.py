"""Drawing for the Images API: as many pictures as were asked for, on as many accounts as that takes."""
