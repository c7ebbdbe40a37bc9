"""Log-in by OpenID Connect at the identity provider of a person's own organisation (OIDC NL GOV 1.0.1).

`Providers` reads which providers there are, `Provider` begins a log-in and finishes it. Nothing is kept here between the two: who
calls keeps `LoginStarted` on the server. No refusal holds a token, a code or anything about a person.
"""
