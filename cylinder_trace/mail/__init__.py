"""Alert mails: `letter` says what a mail says, `layout` how it looks, `channel` and `webhook` hand it to who takes it."""

from cylinder_trace.mail.channel import SmtpChannel
from cylinder_trace.mail.channels import Channels

__all__ = ["Channels", "SmtpChannel"]
