"""One folder, one Lambda function, one handler."""
