"""Getting a store back: rebuilt from the topics, or put back from a back-up."""
