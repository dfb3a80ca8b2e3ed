/* A badge that shows what the callbacks of this page really send and receive.
 *
 * Sent is the size of each request body. Received is `encodedBodySize` of the browser's resource timing.
 * An interaction is everything that follows a click or a key until the next one; of a page that goes on by itself,
 * its last 40 callbacks. The last total of each page is remembered, so that a page can show what its twin
 * moved for you.
 */
(() => {
  const ENDPOINT = /_dash-update-component(\?|$)/;
  const CLAIM = /"output":"_dash-brain-claim\./; // every page tells what it holds; that is no callback of its app
  let calls = []; // of the interaction that runs or ran last
  let touched = true; // the user did something since the last request
  let number = 0;

  // ---- measure ----

  const plainFetch = window.fetch;
  window.fetch = async (resource, options) => {
    if (!ENDPOINT.test(resource) || CLAIM.test(options.body.slice(0, 500))) return plainFetch(resource, options);
    const call = begin(options.body);
    try {
      // The number stays in the browser, as all fragments do: by it the call knows its timing again.
      const response = await plainFetch(`${resource}#${call.number}`, options);
      call.worker = response.headers.get("x-worker");
      return response;
    } catch (error) {
      finish(call, call.start, performance.now(), 0);
      throw error;
    }
  };

  function begin(body) {
    if (touched && !waiting().length) calls = [];
    touched = false;
    const output = /"output":"([^"]+)"/.exec(body.slice(0, 500))?.[1] ?? "";
    const name = output.replace(/^\.\.|\.\.$/g, "").replaceAll("...", ", ");
    const call = { name, number: ++number, start: performance.now(), sent: new Blob([body]).size, received: 0 };
    calls = [...calls.slice(-39), call];
    show();
    return call;
  }

  function finish(call, start, end, received) {
    Object.assign(call, { start, end, received });
    show();
  }

  const waiting = () => calls.filter((call) => call.end === undefined);

  new PerformanceObserver((list) => {
    for (const { name, startTime, responseEnd, encodedBodySize } of list.getEntries()) {
      const call = waiting().find((call) => name.endsWith(`#${call.number}`));
      if (call) finish(call, startTime, responseEnd, encodedBodySize);
    }
  }).observe({ type: "resource" });

  for (const event of ["pointerdown", "keydown"]) {
    document.addEventListener(event, () => (touched = true), { capture: true });
  }

  // ---- show ----

  const bytes = (n) => (n < 1e3 ? `${n} B` : n < 1e6 ? `${(n / 1e3).toFixed(1)} KB` : `${(n / 1e6).toFixed(1)} MB`);

  function node(tag, className, ...children) {
    const made = document.createElement(tag);
    made.className = className;
    made.append(...children);
    return made;
  }

  const summary = node("summary", "");
  const panel = node("div", "panel");
  const badge = node("details", "wire", summary, panel);
  badge.id = "wire";
  const aside = node("aside", "", badge);
  aside.ariaLabel = "What went over the wire";

  function show() {
    const moved = calls.reduce((sum, call) => sum + call.sent + call.received, 0);
    const busy = waiting().length;
    document.body.classList.toggle("busy", busy > 0);
    document.querySelector("main").ariaBusy = busy > 0;
    Object.assign(badge.dataset, { bytes: moved, calls: calls.length, waiting: busy, number });
    const count = ` in ${calls.length} callback${calls.length === 1 ? "" : "s"}`;
    summary.replaceChildren(node("b", "", bytes(moved)), count, node("span", "dim", twin()));
    panel.replaceChildren(...rows());
    if (document.getElementById("wire-total")) dash_clientside.set_props("wire-total", { children: bytes(moved) });
    if (!busy) stored((storage) => storage.setItem(`wire:${location.pathname}`, moved));
  }

  /* What the other version of this page moved when it was last used; the gallery's bar names it. */
  function twin() {
    const { twin, twinTitle } = document.querySelector(".bar")?.dataset ?? {};
    const moved = stored((storage) => storage.getItem(`wire:${twin}`));
    return moved ? `${twinTitle}: ${bytes(Number(moved))}` : "";
  }

  /* Browsers that block cookies throw at the mere look at localStorage; then nothing is remembered. */
  function stored(use) {
    try {
      return use(window.localStorage);
    } catch {
      return null;
    }
  }

  function rows() {
    const now = performance.now();
    const begun = Math.min(...calls.map((call) => call.start));
    const span = Math.max(...calls.map((call) => call.end ?? now)) - begun;
    const head = row("callback for", "sent", "received", `${(span / 1000).toFixed(2)} s`);
    head.classList.add("head");
    const note = node("p", "", "Request and response bodies of the last interaction, measured in this browser.");
    const share = (milliseconds) => `${(100 * milliseconds) / span}%`;
    return [head, ...calls.map((call) => row(call.name, bytes(call.sent), bytes(call.received), track(call))), note];

    function track(call) {
      const mark = node("i", "");
      mark.style.left = share(call.start - begun);
      mark.style.width = share((call.end ?? now) - call.start);
      const line = node("div", "track", mark);
      if (call.worker) line.title = `answered by worker ${call.worker}`;
      return line;
    }
  }

  const row = (...cells) => node("div", "call", ...cells.map((cell) => node("span", "", cell)));

  document.addEventListener("DOMContentLoaded", () => {
    document.body.append(aside, node("div", "busy-line"));
    show();
  });
})();
