"""All code that uses private parts of BentoML, circus, uvicorn or prometheus_client; tests/serving/bento/ fails when they
change."""
