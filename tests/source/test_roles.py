"""The part that a file plays."""

import pytest

from ormlint.source.roles import is_done_once


@pytest.mark.parametrize(
    "path",
    [
        "shop/upgrade.py",
        "shop/logs/order_log_migration.py",
        "shop/management/commands/backfill_prices.py",
        "a/management/commands/createfakebooks.py",
        "a/management/commands/setup_groups.py",
        "a/management/commands/datarepair.py",
        "a/management/commands/fix_stock_levels.py",
        "tools/dummy_orders/make.py",
    ],
)
def test_what_is_done_once(path: str) -> None:
    assert is_done_once(path)


@pytest.mark.parametrize(
    "path",
    [
        "shop/views.py",
        "shop/fake.py",
        "shop/setup.py",
        "shop/repair.py",
        "shop/management/commands/prefix.py",
        "shop/management/commands/demote_users.py",
        "shop/management/commands/send.py",
    ],
)
def test_what_is_done_again_and_again(path: str) -> None:
    assert not is_done_once(path)
