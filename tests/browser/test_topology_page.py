"""The page of `kubectl bastion topology -o html` in a real Chromium: filter, map, keyboard, light and dark, no network."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import printed
from tests.support.estates import Estate, bastion, nic, peering, public_ip, subnet, vm, vnet

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
ESTATE = ROOT / "examples" / "reach" / "reasons.json"
SCREENSHOT = ROOT / "docs" / "images" / "topology.png"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
READABLE = 4.5
"""The contrast of text that WCAG 2.2 asks for (1.4.3, level AA)."""


@dataclass
class Opened:
    """A page with what it asked for and complained of."""

    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def rows(self) -> list[str]:
        """The names of the VMs that are shown."""
        found: list[str] = self.page.locator("tbody tr:visible th").all_inner_texts()
        return found

    def told(self) -> str:
        return str(self.page.locator("output").inner_text())

    def focused(self, attribute: str) -> str | None:
        found: str | None = self.page.evaluate("name => document.activeElement.getAttribute(name)", attribute)
        return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The Chromium that CHROME names, or one that is on PATH; without one the tests fail."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  in the dependency group browser alone

    program = os.environ.get("CHROME") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert program is not None, (
        f"no browser: install one of {', '.join(PROGRAMS)} (apt-get install chromium), or set CHROME"
    )
    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=program, args=arguments)
        yield running
        running.close()


def opened(browser: Any, folder: Path, estate: Path, scheme: str = "light") -> Opened:
    file = folder / "network.html"
    file.write_text(printed("topology", "--from", estate, "-o", "html"), encoding="utf-8")
    page = browser.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 800})
    found = Opened(page)
    page.on("request", lambda request: found.requests.append(request.url))
    page.on("console", lambda message: found.complaints.append(message.text))
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    page.goto(file.as_uri())
    return found


@pytest.fixture
def shown(browser: Any, tmp_path: Path) -> Iterator[Opened]:
    """The example's page; whatever was done with it, it asked for nothing and complained of nothing."""
    found = opened(browser, tmp_path, ESTATE)
    yield found
    assert [url for url in found.requests if not url.startswith(("file://", "data:"))] == []
    assert found.complaints == []
    found.page.close()


def test_the_table_is_filtered_by_words_verdict_reason_and_network(shown: Opened) -> None:
    page = shown.page
    assert (len(shown.rows()), shown.told()) == (9, "9 of 9 VMs")
    page.get_by_label("Search").fill("nicnsg db")
    assert (shown.rows(), shown.told()) == (["db-1"], "1 of 9 VMs")
    page.get_by_role("button", name="Show all").click()
    page.get_by_label("Verdict").select_option("Reachable")
    assert shown.rows() == ["play-1", "stock-1", "web-1"]
    page.get_by_label("Verdict").select_option("")
    page.get_by_label("Reason").select_option("VMNotRunning")
    assert shown.rows() == ["web-2"]
    page.get_by_label("Network").select_option(label="lab")
    assert shown.rows() == []
    page.get_by_label("Reason").select_option("")
    assert shown.rows() == ["bench-1"]


def test_the_map_chooses_a_network_and_lets_it_go(shown: Opened) -> None:
    sandbox = shown.page.locator('svg [data-network$="/virtualnetworks/sandbox"]')
    sandbox.click()
    assert (shown.rows(), sandbox.get_attribute("aria-pressed")) == (["play-1"], "true")
    sandbox.click()
    assert (len(shown.rows()), sandbox.get_attribute("aria-pressed")) == (9, "false")


def test_everything_is_done_by_keyboard(shown: Opened) -> None:
    keyboard = shown.page.keyboard
    keyboard.press("Tab")
    assert shown.focused("class") == "skip"
    keyboard.press("Tab")
    first = shown.focused("data-network")
    assert first is not None
    assert first.endswith("/virtualnetworks/hub")
    while not str(shown.focused("data-network")).endswith("/shop"):
        keyboard.press("Tab")
        assert shown.focused("data-network") is not None, "shop is among the networks that Tab comes to"
    keyboard.press("Enter")
    assert set(shown.rows()) == {"admin-1", "cache-1", "db-1", "web-1", "web-2"}
    keyboard.press("Escape")
    shown.page.wait_for_function("document.querySelector('output').value === '9 of 9 VMs'")
    keyboard.press("/")
    assert shown.focused("name") == "search"
    keyboard.type("web")
    assert shown.rows() == ["web-1", "web-2"]
    keyboard.press("Escape")
    shown.page.wait_for_function("document.querySelector('output').value === '9 of 9 VMs'")
    head = shown.page.get_by_role("button", name="VM", exact=True)
    head.focus()
    keyboard.press("Enter")
    assert shown.rows() == sorted(shown.rows())
    keyboard.press("Enter")
    assert shown.rows() == sorted(shown.rows(), reverse=True)
    assert shown.page.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_light_and_in_dark(browser: Any, tmp_path: Path, scheme: str) -> None:
    found = opened(browser, tmp_path, ESTATE, scheme)
    paper = colour(found, "body", "background-color")
    assert (luminance(paper) > 0.5) == (scheme == "light")
    for text in ("body", "p", "td.Reachable", "td.Unreachable", ".code"):
        assert contrast(colour(found, text, "color"), paper) >= READABLE, (scheme, text)
    box = colour(found, ".spoke rect.network", "fill")
    assert contrast(colour(found, ".spoke text.name", "fill"), box) >= READABLE
    assert contrast(colour(found, ".spoke text.machines", "fill"), box) >= READABLE
    found.page.close()


def colour(opened_page: Opened, selector: str, name: str) -> list[int]:
    value = opened_page.page.evaluate(
        "([selector, name]) => getComputedStyle(document.querySelector(selector)).getPropertyValue(name)",
        [selector, name],
    )
    return [int(each) for each in value[value.index("(") + 1 : -1].split(",")[:3]]


def luminance(rgb: list[int]) -> float:
    """Relative luminance, as WCAG defines it."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (each / 255 for each in rgb)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: list[int], other: list[int]) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def many_machines(count: int, spokes: int) -> Estate:
    """A hub with a Bastion and spokes with so many VMs; every tenth does not run."""
    space = [f"10.{number}.0.0/16" for number in range(spokes + 1)]
    ways = [peering(f"s{number}", space=[space[number]]) for number in range(1, spokes + 1)]
    rows = [
        vnet("hub", space[0], subnets=[subnet("AzureBastionSubnet", "10.0.0.0/26")], peerings=ways),
        public_ip("bas-ip"),
        bastion("bas", "hub", enableTunneling=True),
    ]
    for number in range(1, spokes + 1):
        work = subnet("work", f"10.{number}.1.0/24")
        rows.append(vnet(f"s{number}", space[number], subnets=[work], peerings=[peering("hub", space=[space[0]])]))
    for number in range(count):
        place = number % spokes + 1
        rows.append(nic(f"m{number}-nic", f"s{place}", "work", f"10.{place}.1.{number // spokes + 4}"))
        rows.append(vm(f"m{number}", power="deallocated" if number % 10 == 0 else "running"))
    return rows


def test_two_thousand_vms_are_found_as_well(browser: Any, tmp_path: Path) -> None:
    estate = tmp_path / "estate.json"
    estate.write_text(json.dumps(many_machines(2000, 100)))
    found = opened(browser, tmp_path, estate)
    assert found.told() == "2000 of 2000 VMs"
    assert found.page.locator("svg [data-network]").count() == 101
    found.page.get_by_label("Reason").select_option("VMNotRunning")
    assert found.told() == "200 of 2000 VMs"
    found.page.get_by_label("Search").fill("m1990")
    assert found.rows() == ["m1990"]
    assert found.complaints == []
    found.page.close()


def test_the_screenshot_in_the_docs_shows_this_page(
    shown: Opened, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    taken = tmp_path / "topology.png"
    shown.page.screenshot(path=taken)
    if request.config.option.update_snapshots:
        SCREENSHOT.write_bytes(taken.read_bytes())
    # Fonts differ from machine to machine; the size of the picture does not.
    assert SCREENSHOT.read_bytes()[16:24] == taken.read_bytes()[16:24]
    assert SCREENSHOT.stat().st_size < 200_000
