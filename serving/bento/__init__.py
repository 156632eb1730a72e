"""All code that uses private parts of BentoML, circus or uvicorn; tests/serving/bento/test_compat.py fails when they change."""
