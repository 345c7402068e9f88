"""Manifests for Knative, from the declarations."""
