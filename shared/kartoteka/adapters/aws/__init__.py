"""DynamoDB and SQS."""
