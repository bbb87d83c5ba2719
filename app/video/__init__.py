"""Filming: a video is ordered on one account and asked for until it is done."""
