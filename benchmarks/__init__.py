"""Measurements that run the real site as a process of its own, on labelled streams of questions."""
