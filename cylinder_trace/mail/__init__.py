"""Alert mails: `letter` says what a mail says, `layout` how it looks, `channel` hands it to a mail server."""

from cylinder_trace.mail.channel import SmtpChannel

__all__ = ["SmtpChannel"]
