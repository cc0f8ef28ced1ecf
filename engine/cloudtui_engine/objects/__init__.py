"""Data in stores of objects (`s3://bucket/...`): looked at, fetched here, gone on with after a cut."""
