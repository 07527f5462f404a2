"""What is on its way to people, and what says that nothing is."""

WORDS: dict[str, tuple[str, str]] = {
    "outbox": ("发件箱", "Outbox"),
    "outbox.none_dead": (
        "没有发送失败的；已发的见“已发”。",
        "Nothing failed; what was sent is under Sent.",
    ),
    "outbox.about": (
        "每个收件人一行。退信：对方拒收，或一天内一直未收。重发用原来的邮件编号，不会重复。",
        "One row a recipient. Dead letters were refused, or not taken for a day. Sent again they keep their Message-ID.",
    ),
    "outbox.dead": ("退信", "Dead letters"),
    "outbox.waiting": ("待发", "Waiting"),
    "outbox.sent": ("已发", "Sent"),
    "outbox.let_go": ("已作罢", "Let go"),
    "outbox.recipient": ("收件人", "Recipient"),
    "outbox.subject": ("主题", "Subject"),
    "outbox.created": ("生成", "Made"),
    "outbox.attempts": ("次数", "Attempts"),
    "outbox.next": ("下次", "next"),
    "outbox.answer": ("最后答复", "Last answer"),
    "outbox.do.resend": ("重发", "Send again"),
    "outbox.do.let-go": ("作罢", "Let go"),
    "outbox.quicker": (
        "已有人先处理：发往 {recipient} 的这一件现为“{state}”。",
        "Somebody was quicker: what goes to {recipient} is now: {state}.",
    ),
    "channel.mail": ("邮件", "mail"),
    "channel.webhook": ("消息平台", "message platform"),
    "banner.worker": (
        "定时任务停顿：研判、发信没有按时运行，本页可能不全。",
        "The worker stands still: nothing is judged or sent in time, and this page may lack what was found since.",
    ),
}
