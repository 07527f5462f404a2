"""What a person reads at the gun."""

import pytest

from scanner.said import ago


@pytest.mark.parametrize(
    ("minutes", "said"), [(0, "刚刚"), (7, " 7 分钟前"), (125, " 2 小时 5 分前"), (3000, " 2 天前")]
)
def test_how_long_ago_is_said_as_people_say_it(minutes: int, said: str) -> None:
    assert ago(minutes * 60_000)[0] == said
