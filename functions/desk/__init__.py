"""The Lambda function of this name; its handler is the module beside this one."""
