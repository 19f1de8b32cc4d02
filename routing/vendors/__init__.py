"""The wire protocols. To add one: a module with the shape of `base.Vendor`, and a line here."""

from __future__ import annotations

from routing.specs import VendorKind
from routing.vendors.anthropic import Anthropic
from routing.vendors.base import Vendor
from routing.vendors.chat_completions import ChatCompletions
from routing.vendors.gemini import Gemini

VENDORS: dict[VendorKind, Vendor] = {
    VendorKind.CHAT_COMPLETIONS: ChatCompletions(),
    VendorKind.ANTHROPIC: Anthropic(),
    VendorKind.GEMINI: Gemini(),
}


def vendor_for(kind: VendorKind) -> Vendor:
    """The protocol that endpoints of this kind speak."""
    return VENDORS[kind]
