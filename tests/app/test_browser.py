"""The component in a real browser, against several real workers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browsers import chrome, forget_everything, patience
from tests.servers import Server


@pytest.fixture(scope="module")
def served(serve_for_module: Any) -> Server:
    return serve_for_module("tests.app.served:server", workers=4)


def of_callback(request: dict[str, Any]) -> bool:
    return "_dash-update-component" in request["url"] and "_dash-brain-claim" not in request["postData"]


class Tab:
    """A page of the app in one browser."""

    def __init__(self, driver: Any, url: str) -> None:
        self.driver = driver
        driver.get(url)

    def text(self, component_id: str) -> str:
        found = self.driver.find_elements("id", component_id)
        return found[0].text if found else ""

    def wait(self, component_id: str, text: str) -> None:
        patience(self.driver).until(
            lambda _: self.text(component_id) == text, f"{component_id} shows {self.text(component_id)!r}"
        )

    def wait_for(self, condition: Callable[[], object]) -> None:
        patience(self.driver).until(lambda _: condition())

    def wait_for_text(self, component_id: str) -> str:
        patience(self.driver).until(lambda _: self.text(component_id), f"{component_id} stays empty")
        return self.text(component_id)

    def click(self, component_id: str) -> None:
        self.driver.find_element("id", component_id).click()

    def messages(self) -> list[dict[str, Any]]:
        """Return what the network did since the last look."""
        return [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]

    def bodies(self) -> list[tuple[str, int]]:
        """Return request body and bytes of the answer, on the wire, of each callback since the last look."""
        sent: dict[str, str] = {}
        received: dict[str, int] = {}

        def all_received() -> bool:
            for message in self.messages():
                params = message["params"]
                if message["method"] == "Network.loadingFinished":
                    received[params["requestId"]] = params["encodedDataLength"]
                elif message["method"] == "Network.requestWillBeSent" and of_callback(params["request"]):
                    sent[params["requestId"]] = params["request"]["postData"]
            return sent.keys() <= received.keys()

        self.wait_for(all_received)
        return [(body, received[request]) for request, body in sent.items()]

    def assert_clean(self) -> None:
        severe = [entry for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
        assert severe == []


@pytest.fixture
def tab(served: Server, browser_for_module: Any) -> Iterator[Tab]:
    forget_everything(browser_for_module)
    page = Tab(browser_for_module, served.url)
    page.wait("shape", "empty")
    yield page
    page.assert_clean()


def test_a_frame_travels_between_workers_and_only_its_token_over_the_wire(tab: Tab) -> None:
    tab.wait("plain-text", "[1, 2]")
    tab.wait("parts-text", "[]")
    tab.messages()
    tab.click("make")
    tab.wait("shape", "1250000 1249999")
    tab.click("make")
    tab.wait("shape", "1250000 2499998")
    tab.wait("tab-text", "clicks 2")
    bodies = tab.bodies()
    assert len(bodies) >= 6
    assert max(len(body) for body, _ in bodies) < 1000
    assert max(received for _, received in bodies) < 1000


def test_readers_change_their_own_copy_only(tab: Tab) -> None:
    tab.click("make")
    tab.wait("shape", "1250000 1249999")  # `shape` set its x to 0 in every worker that ran it
    for clicks in range(2, 7):
        tab.click("make")
        tab.wait("shape", f"1250000 {1249999 * clicks}")


def test_a_session_store_survives_a_reload_and_a_memory_store_does_not(tab: Tab) -> None:
    tab.click("make")
    tab.wait("tab-text", "clicks 1")
    tab.wait("shape", "1250000 1249999")
    tab.driver.refresh()
    tab.wait("tab-text", "clicks 1")
    tab.wait("shape", "empty")


def test_layout_functions_read_the_session(tab: Tab) -> None:
    visits = int(tab.wait_for_text("visits-text").removeprefix("visit "))
    tab.driver.refresh()
    tab.wait("visits-text", f"visit {visits + 1}")


def test_stores_that_callbacks_build_are_known_to_every_worker(tab: Tab) -> None:
    for clicks in range(1, 6):
        tab.click("grow")
        tab.wait("parts-text", repr([(i, clicks) for i in range(clicks)]))


def test_set_props_empties_a_store(tab: Tab) -> None:
    tab.click("make")
    tab.wait("shape", "1250000 1249999")
    tab.click("clear")
    tab.wait("shape", "empty")


def test_a_token_typed_into_a_field_is_shown_as_it_is(tab: Tab) -> None:
    tab.messages()
    tab.click("make")
    tab.wait("shape", "1250000 1249999")
    token = (
        next(body for body, _ in tab.bodies() if '"value":"db1.' in body).split('"value":"')[1].split('"')[0]
    )
    tab.driver.find_element("id", "typed").send_keys(token + "\n")
    tab.wait("echo", f"echo {token}")


def test_scripts_of_a_page_may_give_fetch_null_for_its_options(tab: Tab) -> None:
    fetching = "fetch('/_dash-dependencies', null).then(response => arguments[0](response.status))"
    assert tab.driver.execute_async_script(fetching) == 200


def test_two_browsers_are_two_sessions(served: Server, browser_for_module: Any) -> None:
    mine = browser_for_module
    forget_everything(mine)
    with chrome() as yours:
        pages = [Tab(mine, served.url), Tab(yours, served.url)]
        visits = [int(page.wait_for_text("visits-text").removeprefix("visit ")) for page in pages]
        for _ in range(3):
            visits[0] += 1
            mine.refresh()
            pages[0].wait("visits-text", f"visit {visits[0]}")
        yours.refresh()
        pages[1].wait("visits-text", f"visit {visits[1] + 1}")


#: A worker as Dash's, which passes on what comes over the websocket of all pages.
WORKER = """
const told = `onconnect = ({ports}) => ports[0].postMessage(${JSON.stringify(arguments[0])})`;
new SharedWorker("data:text/javascript," + encodeURIComponent(told)).port.start();
"""


def test_a_page_claims_when_its_websocket_was_closed_and_when_a_callback_over_it_failed(tab: Tab) -> None:
    def claims() -> bool:
        return any("_dash-brain-claim" in json.dumps(message) for message in tab.messages())

    tab.wait_for(claims)
    for message in ({"type": "disconnected"}, {"type": "callback_response", "payload": {"status": "error"}}):
        tab.driver.execute_script(WORKER, message)
        tab.wait_for(claims)
