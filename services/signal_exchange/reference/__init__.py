"""Reference data: code lists, municipalities, holidays, rule sets and examples, and what reads them."""
