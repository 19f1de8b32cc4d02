"""Routing in the admin: configuration, rule sets and ledger, each in a module of its own."""

from __future__ import annotations

from routing.admin_alerts import AlertAdmin
from routing.admin_calls import CallAdmin
from routing.admin_killswitch import KillSwitchAdmin
from routing.admin_models import ChainAdmin, EndpointAdmin, ModelAdminPage
from routing.admin_money import BudgetAdmin, QuotaAdmin, StatementAdmin
from routing.admin_prices import ExchangeRateAdmin, PriceAdmin
from routing.admin_rules import RuleSetAdmin
from routing.publishing import seal

__all__ = [
    "AlertAdmin",
    "BudgetAdmin",
    "CallAdmin",
    "ChainAdmin",
    "EndpointAdmin",
    "ExchangeRateAdmin",
    "KillSwitchAdmin",
    "ModelAdminPage",
    "PriceAdmin",
    "QuotaAdmin",
    "RuleSetAdmin",
    "StatementAdmin",
]

seal()
