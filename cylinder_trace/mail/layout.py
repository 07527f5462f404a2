"""How a letter looks: as plain text and as HTML."""

from markupsafe import Markup

from cylinder_trace.law.answers import Names
from cylinder_trace.mail.letter import MOST_LISTED, Letter, Line, Told

_WHY_SENT = Names("为何发送", "Why you get this")
_SIGNS = {1: "▲", 2: "◆", 3: "●"}
FOOT = "气瓶追溯 Cylinder Trace · 自动发送，请勿回复 / sent automatically, do not reply"

# Inlined into the elements; only what is under @media stays, for the readers that know it.
STYLE = """
body { margin: 0; padding: 16px; background: #eef2f6; color: #17222d;
  font: 15px/1.6 "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif }
.sheet { max-width: 640px; margin: 0 auto; background: #ffffff; border: 1px solid #d3dce5; border-radius: 8px;
  padding: 16px 18px }
h1 { font-size: 20px; line-height: 1.35; margin: 0 } h2 { font-size: 16px; margin: 20px 0 4px }
.en { color: #51606f; font-size: 13px; font-weight: 400 } p { margin: 6px 0 }
.s1 { color: #b21c2a } .s2 { color: #8f4c00 } .s3 { color: #51606f }
.why { background: #fdf0d8; padding: 8px 12px; border-left: 4px solid #8f4c00; margin: 12px 0 }
.fact { border-top: 1px solid #d3dce5; padding: 8px 0 } a { color: #0b57a4 }
table { border-collapse: collapse; width: 100% } td { border-top: 1px solid #d3dce5; padding: 7px 0; vertical-align: top }
td.name { width: 112px; padding-right: 10px; color: #51606f } .foot { color: #51606f; font-size: 12px; margin-top: 18px }
@media (prefers-color-scheme: dark) {
  body { background: #0f151b !important; color: #e8eef4 !important }
  .sheet { background: #18212a !important; border-color: #30404f !important }
  .en, .foot, .s3, td.name { color: #a3b3c2 !important } a { color: #7dbaf7 !important }
  .s1 { color: #ff8a8f !important } .s2 { color: #f2b75f !important }
  .why { background: #38290d !important; border-color: #f2b75f !important }
  .fact, td { border-color: #30404f !important }
}
"""


PAGE = Markup(
    '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light dark"><title>{}</title><style>{}</style></head>'
    '<body><div class="sheet">{}<p class="foot">{}</p></div></body></html>'
)
"""A whole mail: its title, the style, what it says, and its foot."""


def as_text(letter: Letter) -> str:
    """For plain clients: what happened first, then what to do, then the law."""
    rows = [
        f"{_sign(letter)} {letter.urgency.zh} {letter.title.zh}",
        f"  {letter.title.en}",
        "",
        *(row for line in _head(letter) for row in _text_line(line)),
        "",
        "事实 Facts",
    ]
    for number, told in enumerate(letter.alerts[:MOST_LISTED], start=1):
        rows += ["", f"{number}. {told.about}", f"   {told.when}", f"   {told.fact.zh}", f"   {told.fact.en}"]
        if told.because:
            rows += [f"   晚到的记录：{told.because.zh}", f"   The late record: {told.because.en}"]
        rows.append(f"   {told.link}")
    if more := _more(letter):
        rows += ["", more.zh, more.en, letter.list_link]
    rows += ["", *(row for line in letter.lines for row in _text_line(line)), "", f"—— {FOOT}"]
    return "\n".join(rows)


def as_html(letter: Letter) -> str:
    """For all others. Nothing in it is loaded from anywhere."""
    facts = Markup("").join(_html_fact(told) for told in letter.alerts[:MOST_LISTED])
    if more := _more(letter):
        facts += Markup('<p class="fact"><a href="{}">{}</a>{}</p>').format(
            letter.list_link, more.zh, small(more.en)
        )
    head, lines = _html_lines(_head(letter)[1:]), _html_lines(letter.lines)
    return str(
        PAGE.format(
            letter.subject,
            Markup(STYLE),
            Markup(
                '<h1><span class="s{}">{} {}</span> {}</h1><p class="en">{} · {}</p>'
                '<p class="why">{}：{}{}</p><table>{}</table><h2>事实 <span class="en">Facts</span></h2>{}'
                '<h2>处置与依据 <span class="en">What to do, and why</span></h2><table>{}</table>'
            ).format(
                3 if letter.ended else letter.severity,
                _sign(letter),
                letter.urgency.zh,
                letter.title.zh,
                letter.title.en,
                letter.urgency.en,
                _WHY_SENT.zh,
                letter.why.zh,
                small(f"{_WHY_SENT.en}: {letter.why.en}"),
                head,
                facts,
                lines,
            ),
            FOOT,
        )
    )


def _head(letter: Letter) -> list[Line]:
    return [
        Line(_WHY_SENT, letter.why),
        Line(
            Names("级别", "Severity"),
            Names(f"{letter.severity} 级，{letter.urgency.zh}", f"{letter.severity}, {letter.urgency.en}"),
        ),
        Line(Names("辖区", "District"), letter.district),
        Line(Names("地点", "Site"), letter.place),
    ]


def _sign(letter: Letter) -> str:
    return "✓" if letter.ended else _SIGNS[letter.severity]


def _more(letter: Letter) -> Names | None:
    number = len(letter.alerts)
    if number <= MOST_LISTED:
        return None
    return Names(
        f"共 {number} 起，全部见附件与此链接。", f"{number} in all; see the attached list and this link."
    )


def _text_line(line: Line) -> list[str]:
    rows = [f"{line.name.zh}：{line.said.zh}"]
    if line.said.en and line.said.en != line.said.zh:
        rows.append(f"  {line.name.en}: {line.said.en}")
    return rows


def _html_lines(lines: list[Line]) -> Markup:
    return Markup("").join(
        Markup('<tr><td class="name">{}{}</td><td>{}{}</td></tr>').format(
            line.name.zh,
            small(line.name.en),
            line.said.zh,
            small(line.said.en if line.said.en != line.said.zh else ""),
        )
        for line in lines
    )


def _html_fact(told: Told) -> Markup:
    because = Markup("")
    if told.because:
        because = Markup('<p class="why">晚到的记录：{}{}</p>').format(
            told.because.zh, small(told.because.en)
        )
    return Markup('<div class="fact"><a href="{}">{}</a> <span class="en">{}</span><br>{}{}{}</div>').format(
        told.link, told.about, told.when, told.fact.zh, small(told.fact.en), because
    )


def small(text: str) -> Markup:
    return Markup('<br><span class="en">{}</span>').format(text) if text else Markup("")
