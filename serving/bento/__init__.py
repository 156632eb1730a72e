"""What relies on the insides of BentoML and uvicorn; tests/serving/bento/test_compat.py fails when they change."""
