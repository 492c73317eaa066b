"""Grant permission to send mail through Amazon SES by pull request."""

__version__ = "0.1.0"
