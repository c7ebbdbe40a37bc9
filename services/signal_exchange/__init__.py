"""Regional exchange of pseudonymised signals of mensenhandel."""
