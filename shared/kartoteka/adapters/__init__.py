"""The ports over the real world: SQLAlchemy Core, requests, DynamoDB, SQS."""
