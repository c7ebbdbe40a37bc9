"""The one consume loop, on faust-streaming."""
