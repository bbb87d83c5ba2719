"""What all sides share: the question, the events of its answer, usage, errors. Neutral, pure, frozen."""
