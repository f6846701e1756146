"""What happens to every request and response, whatever the path."""
