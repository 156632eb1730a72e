"""Classifies a folder, a ZIP archive or Parquet files of pictures with Ray Data: ``python -m deploy.bulk --help``."""
