"""Publishing: a file or a request is read, judged, made ready and kept, and what was refused is told."""
