"""Cache decisions beside the peers, on labelled streams of customer questions."""
