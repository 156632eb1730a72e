"""The models in service, and how a reload replaces them."""
