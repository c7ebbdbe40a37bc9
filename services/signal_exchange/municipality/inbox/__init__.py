"""The inbox of a node: answers of the exchange, its questions, and the signals that this municipality takes back."""
