"""Signing in by an identity provider (OpenID Connect): asked, and its answer checked. Whose account it is, `links.identities` says."""
