"""The whole way once: from a photographed code to a district's inbox, on a simulated city, checked step by step."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any
from uuid import uuid4

import requests
from tqdm import tqdm

from cylinder_trace import delivery, intake, sweep
from cylinder_trace.at_the_gun import Gun, indented
from cylinder_trace.contract.fields import epoch_ms
from cylinder_trace.contract.master import PersonRecord, SiteRecord
from cylinder_trace.enrolment import enrol, kept_server_key, write_key
from cylinder_trace.judging.handling.routing import EVERYWHERE, Recipient
from cylinder_trace.judging.handling.timing import next_digest_ms
from cylinder_trace.judging.scan import HOUR_MS
from cylinder_trace.law.tables import load as load_law
from cylinder_trace.mail import SmtpChannel
from cylinder_trace.settings import load_settings
from cylinder_trace.simulator.city import City, Plan, simulate
from cylinder_trace.stage import (
    StepFailed,
    audited,
    environment,
    free_port,
    held,
    opened,
    serving,
    smtp_sink,
    stop,
    subject_of,
)
from cylinder_trace.store import alerts, ledger, parties, people, recipients
from cylinder_trace.store.database import upgrade

PASSWORD = "cylinder-trace"
SIGN_INS = {
    "regulator": ("市局监管员", "city"),
    "officer": ("区局监察员甲", "officer"),
    # A re-check is for somebody other than who issued the directive.
    "officer-2": ("区局监察员乙", "officer"),
    "manager": ("站长", "manager"),
    "operator": ("充装工", "operator"),
}
OVERDUE, LAWFUL = "3310000900001", "3310000900002"
_BATCH = 1000
_QUICK_MS = 2 * HOUR_MS


def main(directory: Path, number: int, photos: Path | None, *, once: bool, started: float) -> int:
    """Run the demonstration in a directory of its own; gives 0, or 1 after naming the step that failed."""
    steps: list[tuple[str, str, float]] = []

    def step(name: str, do: Callable[[], str]) -> None:
        begun = time.monotonic()
        print(f"\n▶ {name}", flush=True)
        try:
            said = do()
        except Exception as error:
            raise StepFailed(f"{name}: {type(error).__name__}: {error}") from error
        steps.append((name, said, time.monotonic() - begun))
        print(f"  {said}", flush=True)

    def finished() -> None:
        print(f"\n{'step':44} {'seconds':>8}  result")
        for name, said, seconds in steps:
            print(f"{name:44} {seconds:8.1f}  {said}")
        print(f"✓ 全程 all steps done in {time.monotonic() - started:.1f} s", flush=True)

    # Whichever way it is ended, what it started ends with it.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    try:
        if photos is not None and not photos.exists():
            raise StepFailed(f"PHOTOS: there is no {photos}")
        with held(directory):
            _Demo(directory, number, photos).run(step, finished, once=once)
    except StepFailed as failure:
        print(f"\n✗ 演示失败 failed at {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n已结束 ended", file=sys.stderr)
        return 0 if steps and not once else 130
    return 0


class _Demo:
    def __init__(self, directory: Path, number: int, photos: Path | None) -> None:
        self.directory = directory
        self.number = number
        self.photos = photos
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.mails: list[bytes] = []

    def run(
        self, step: Callable[[str, Callable[[], str]], None], finished: Callable[[], None], *, once: bool
    ) -> None:
        step("建库 create the database", self._create)
        step("模拟城市 simulate a city", self._simulate)
        with opened(self.url) as (database, cache), smtp_sink(self.mails) as smtp_port:
            self.database, self.cache = database, cache
            step("入账 record the city's events", self._record_city)
            step("研判 judge them", self._judge)
            settings = load_settings(
                database_url=self.url,
                smtp_port=smtp_port,
                port=free_port(),
                public_url="http://127.0.0.1",
                mail_from="alerts@qp.example",
                secret_directory=self.directory,
            )
            self.address = f"http://127.0.0.1:{settings.port}"
            settings = settings.model_copy(update={"public_url": self.address})
            self.channel = SmtpChannel(settings)
            self.server_key = kept_server_key(settings)
            step("人员与设备 people and a device", self._people)
            step("印制标签 print labels", self._labels)
            with serving(self.url, settings.port, self.directory):
                step("充装核验 ask at the gun", self._ask)
                step("扫码上传 scan, record, upload", self._scan)
                step("离线数据 fetch a snapshot", self._fetch)
            step("断网核验 ask without a server", self._ask_offline)
            with serving(self.url, settings.port, self.directory):
                if self.photos is not None:
                    step("解码照片 decode your pictures", self._decode_photos)
                step("预警 sweep for alerts", self._alerts)
                step("发送邮件 deliver the mails", self._deliver)
                step("页面 read the pages", self._pages)
                step("核账 audit the ledger", self._audit)
                finished()
                if not once:
                    self._serve(smtp_port, settings.port)

    def _create(self) -> str:
        self.url = f"sqlite:///{(self.directory / 'demo.sqlite3').resolve()}"
        upgrade(self.url)
        return self.url

    def _simulate(self) -> str:
        end = self.now - timedelta(hours=1)
        self.city: City = simulate(Plan(seed=7, cylinders=self.number, days=60, end=end))
        faults = sum(label.fault for label in self.city.labels)
        return f"{len(self.city.records)} parties, {len(self.city.arrivals)} events, {faults} planted faults"

    def _record_city(self) -> str:
        with self.database.writing() as connection:
            parties.put_records(connection, self.city.records)
        arrivals = self.city.arrivals
        with tqdm(total=len(arrivals), unit=" events", disable=None) as bar:
            for start in range(0, len(arrivals), _BATCH):
                some = arrivals[start : start + _BATCH]
                moments = [one.received_at for one in some]
                answer = intake.record(
                    self.database, [one.event for one in some], moments[-1], None, each_at=moments
                )
                if answer.refused:
                    raise StepFailed(f"{answer.refused} simulated events were refused")
                bar.update(len(some))
        with self.database.reading() as connection:
            counted = ledger.counts(connection)["events"]
        if counted != len({str(one.event.event_id) for one in arrivals}):
            raise StepFailed(f"the ledger has {counted} events, the city {len(arrivals)}")
        return f"{counted} events on record"

    def _judge(self) -> str:
        with tqdm(total=len(self.city.arrivals), unit=" judged", disable=None) as bar:
            looked = sweep.run(
                self.database,
                self.cache,
                epoch_ms(self.now),
                lambda _what, number: bar.update(number),
                gathered_ms=HOUR_MS,
            )
        with self.database.reading() as connection:
            opened = alerts.open_count(connection)
        planted = {label.kind for label in self.city.labels if label.fault}
        if missing := planted - set(opened):
            raise StepFailed(f"planted but not found: {', '.join(sorted(missing))}")
        return f"{looked['events']} events, {sum(opened.values())} open alerts of {len(opened)} kinds"

    def _people(self) -> str:
        stations = [
            site
            for site in self.city.records
            if isinstance(site, SiteRecord) and site.type == "filling_station"
        ]
        depots = [site for site in self.city.records if isinstance(site, SiteRecord) and site.type == "depot"]
        self.station = next(
            site for site in stations if any(depot.owner_id == site.owner_id for depot in depots)
        )
        self.depot = next(site for site in depots if site.owner_id == self.station.owner_id)
        self.stranger = self._customer_out_of_area()
        with self.database.writing() as connection:
            for username, (name, role) in SIGN_INS.items():
                scope = {"city": "", "officer": self.station.district}.get(role, self.station.site_id)
                people.put_account(connection, username, PASSWORD, name, role, scope)
            # Who signs in to fill is in the staff register like everybody of the city, with a certificate.
            filler = PersonRecord(
                person_id="operator",
                role="filler",
                site_id=self.station.site_id,
                certificate_no="DEMO-1",
                certificate_valid_until=self.now.date() + timedelta(days=365),
            )
            parties.put_records(connection, [filler])
            for district in load_law().districts():
                recipients.put(
                    connection, Recipient(f"team-{district.adcode}@qp.example", district.adcode, district.zh)
                )
            recipients.put(connection, Recipient("city@qp.example", EVERYWHERE, "市局"))
            now_ms = epoch_ms(self.now)
            for device, site in (("demo-gun", self.station), ("demo-courier", self.depot)):
                key = enrol(
                    connection, device, site.site_id, self.address, now_ms, server_key=self.server_key
                )
                write_key(key, self.directory / f"{device}.key.json")
        self._register(OVERDUE, self.now.date() - timedelta(days=40))
        self._register(LAWFUL, self.now.date() + timedelta(days=400))
        return f"devices at {self.station.name} and {self.depot.name}; sign in as {', '.join(SIGN_INS)}, password {PASSWORD}"

    def _customer_out_of_area(self) -> SiteRecord:
        owner = next(
            one
            for one in self.city.records
            if getattr(one, "owner_id", None) == self.station.owner_id and one.record == "owner"
        )
        served = set(getattr(owner, "districts", ()))
        customers = [
            site for site in self.city.records if isinstance(site, SiteRecord) and site.type == "customer"
        ]
        return next(site for site in customers if site.district not in served)

    def _register(self, code: str, valid_until: Any) -> None:
        cylinder = {
            "cylinder_class": "lpg_bottle",
            "model": "YSP35.5",
            "medium": "lpg",
            "volume_l": 35.5,
            "manufactured": (valid_until - timedelta(days=4 * 365)).isoformat(),
            "owner_id": self.station.owner_id,
            "valid_until": valid_until.isoformat(),
        }
        registered = (self.now - timedelta(days=90)).isoformat()
        message = {
            "kind": "register",
            "event_id": str(uuid4()),
            "occurred_at": registered,
            "cylinder_code": code,
            "cylinder": cylinder,
        }
        answer = intake.record(self.database, [message], self.now, None)
        if answer.stored != 1:
            raise StepFailed(f"the registration of {code} was refused: {answer.receipts}")
        intake.judge(self.database, self.cache, epoch_ms(self.now))

    def _labels(self) -> str:
        import segno
        import zxingcpp

        folder = self.directory / "labels"
        folder.mkdir()
        segno.make(f"https://qp.example.cn/b?c={OVERDUE}", error="h").save(
            str(folder / "overdue-qr.png"), scale=8, border=4
        )
        lawful = self.directory / "lawful"
        lawful.mkdir()
        barcode = zxingcpp.create_barcode(LAWFUL, zxingcpp.BarcodeFormat.DataMatrix)
        import cv2
        import numpy as np

        cv2.imwrite(str(lawful / "lawful-datamatrix.png"), np.array(barcode.to_image(scale=10)))
        return f"{folder}/overdue-qr.png and {lawful}/lawful-datamatrix.png"

    def _ask(self) -> str:
        self.gun = Gun(self.directory, "operator")
        return self.gun.ask({OVERDUE: "STOP", LAWFUL: "PASS"})

    def _fetch(self) -> str:
        return self.gun.fetch()

    def _ask_offline(self) -> str:
        said = self.gun.ask({OVERDUE: "STOP", LAWFUL: "ASK"}, offline=True)
        return f"{said}; {self.gun.let_go(OVERDUE)}"

    def _scan(self) -> str:
        for folder in ("labels", "lawful"):
            self.gun.fill(self.directory / folder)
        goal = ("deliver", "--from-site", self.depot.site_id, "--to-site", self.stranger.site_id)
        self.gun.carry(self.directory / "lawful", *goal)
        with self.database.reading() as connection:
            found = len(ledger.of_codes(connection, [OVERDUE])) + len(ledger.of_codes(connection, [LAWFUL]))
        if found != 9:
            raise StepFailed(f"9 events of the two labels should be on record, there are {found}")
        return "7 scans on record, each once: 6 at the gun, a delivery out of area by the courier"

    def _decode_photos(self) -> str:
        done = self.gun.scan("images", str(self.photos))
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        print(indented(done.stdout[:3000]))
        return f"{sum(bool(line.get('text')) for line in lines)} of {len(lines)} pictures read"

    def _alerts(self) -> str:
        self.gun.upload()
        sweep.run(self.database, self.cache, epoch_ms(datetime.now(UTC)))
        with self.database.reading() as connection:
            of_overdue = {
                row["rule"]
                for row in alerts.of_cylinder(connection, OVERDUE, [OVERDUE])
                if row["status"] == "open"
            }
            total, _ = alerts.listed(
                connection,
                alerts.Scope("city"),
                {"rule": "out_of_area", "status": "open", "site_id": self.depot.site_id},
                1,
            )
        if not {"fill_overdue", "override_used"} <= of_overdue or not total:
            raise StepFailed(
                f"the overdue fill, what was let go ({of_overdue}) or the delivery out of area ({total}) was not found"
            )
        return "fill_overdue 超期充装, override_used 人工放行 and out_of_area 跨区流动 found"

    def _deliver(self) -> str:
        # Notices wait for others of their group, or for the hours of work; the demonstration's clock is put forward.
        with self.database.reading() as connection:
            later_ms = next_digest_ms(epoch_ms(datetime.now(UTC)) + _QUICK_MS, self.cache.read(connection))
        with tqdm(unit=" mails", disable=None) as bar:
            tally = delivery.run(
                self.database,
                self.cache,
                self.channel,
                later_ms,
                lambda _what, number: bar.update(number),
            )
        subjects = [subject_of(message_from_bytes(raw)) for raw in self.mails]
        if not any("超期未检充装" in subject for subject in subjects) or not any(
            "跨区流动" in subject for subject in subjects
        ):
            raise StepFailed(f"the two mails are not among {len(subjects)}: {subjects[:5]}")
        if tally["sent"] != len(self.mails):
            raise StepFailed(f"{tally['sent']} marked as sent, {len(self.mails)} arrived")
        folder = self.directory / "inbox"
        folder.mkdir(exist_ok=True)
        for number, raw in enumerate(self.mails, start=1):
            (folder / f"{number:03}.eml").write_bytes(raw)
        return f"{len(self.mails)} mails arrived, kept in {folder}"

    def _pages(self) -> str:
        with requests.Session() as session:
            form = session.get(f"{self.address}/sign-in", timeout=20).text
            token = form.split('name="csrf_token" value="')[1].split('"')[0]
            login = {"username": "regulator", "password": PASSWORD, "csrf_token": token}
            session.post(f"{self.address}/sign-in", data=login, timeout=20).raise_for_status()
            for path, words in (
                (f"/cylinders/{OVERDUE}", "超期未检充装"),
                ("/alerts", "超期未检充装"),
                (f"/c/{OVERDUE}", "超期"),
                ("/health", "sweep"),
                (f"/api/v1/cylinders/{OVERDUE}/history", OVERDUE),
            ):
                page = session.get(f"{self.address}{path}", timeout=20)
                page.raise_for_status()
                if words not in page.text and path != "/health":
                    raise StepFailed(f"{path} does not show {words}")
        return f"{self.address}/cylinders/{OVERDUE}"

    def _audit(self) -> str:
        said: list[str] = []
        _, checked = audited(self.database, self.cache, said.append)
        if said:
            raise StepFailed("; ".join(said[:5]))
        return f"{checked}: 0 differences"

    def _serve(self, smtp_port: int, port: int) -> None:
        print(f"\n气瓶 cylinder   {self.address}/cylinders/{OVERDUE}")
        print(
            f"预警 alerts     {self.address}/alerts\n扫码 scan       {self.address}/scan\n接口 API        {self.address}/api"
        )
        print(f"登录 sign in    口令 password {PASSWORD}")
        for username, (name, role) in SIGN_INS.items():
            print(f"  {username:14}{name} {role}")
        print(f"邮件 mails      {self.directory}/inbox\nCtrl-C 结束 ends it", flush=True)
        variables = environment(self.url, port) | {"CYLINDER_TRACE_SMTP_PORT": str(smtp_port)}
        worker = subprocess.Popen(
            [sys.executable, "-m", "cylinder_trace", "worker"], env=variables, start_new_session=True
        )
        try:
            worker.wait()
        finally:
            stop(worker)
