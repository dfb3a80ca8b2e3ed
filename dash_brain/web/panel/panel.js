// The panel «Stores» in Dash's dev tools: what this page and its session hold on the server. In debug mode only.
(function () {
    "use strict";

    const EVERY = 2000; // milliseconds between two looks while the panel is open
    const SOON = 300; // after a callback
    const TOKEN = /db1\.[0-9a-f]{8}\.[sanm][0-9a-f]{32}\.[\w-]{43}/g;
    const ID = "_dash-brain-panel";
    const POPUP = "dash-brain-stores";

    // --- what the server says

    let shown = null; // its latest answer
    let trouble = ""; // why there is none
    let isLooking = false;
    let pause = null;
    let draw = () => {}; // draws the panel anew, while there is one

    const page = () => window.dash_brain.page;
    const lastTokens = new Map(); // key of a store -> its latest token, also when the page has cleared it since

    function ask(question) {
        return page().ask(ID, "question", JSON.stringify(question), "panel");
    }

    function stores() {
        return page().held().map((store) => {
            lastTokens.set(store.key, store.token || lastTokens.get(store.key));
            return {...store, last: lastTokens.get(store.key)};
        });
    }

    async function look() {
        clearTimeout(pause);
        pause = null;
        if (isLooking) {
            return soon();
        }
        isLooking = true;
        try {
            const asked = stores();
            const more = unknown();
            const held = [...asked.map(({last}) => last || ""), ...more];
            const response = await ask({do: "look", page: page().name, held});
            trouble = response.ok ? "" : TROUBLES[response.status] || `The server answers with status ${response.status}.`;
            shown = response.ok ? {...(await response.json()), stores: asked} : null;
            if (shown) {
                held.forEach((token, place) => learn(token, shown.held[place]));
            }
        } catch (error) {
            trouble = "The server does not answer.";
        } finally {
            isLooking = false;
            draw();
        }
    }

    const TROUBLES = {
        403: "This browser sends no session with its requests: it refuses the cookie, or stands in a frame of another site.",
    };

    function soon() {
        pause = pause || setTimeout(look, SOON);
    }

    // --- what did not go over the wire: the values of the tokens in callbacks and their answers

    const carried = new Map(); // token -> how often it went over the wire
    const sizes = new Map(); // token -> bytes of its value

    function learn(token, row) {
        if (row.bytes) {
            sizes.set(token, row.bytes);
        } else if (!sizes.has(token)) {
            sizes.set(token, 0);
        }
    }

    const unknown = () => Array.from(carried.keys()).filter((token) => !sizes.has(token)).slice(-100);

    function note(text) {
        const found = typeof text === "string" ? text.match(TOKEN) || [] : [];
        found.forEach((token) => carried.set(token, (carried.get(token) || 0) + 1));
        if (found.length) {
            soon();
        }
    }

    function spared() {
        const counts = Array.from(carried, ([token, count]) => [count, sizes.get(token) || 0]);
        const times = counts.reduce((sum, [count, size]) => sum + (size ? count : 0), 0);
        return {times, bytes: counts.reduce((sum, [count, size]) => sum + count * size, 0)};
    }

    const fetched = window.fetch;
    window.fetch = (...asked) => {
        const [address, options = {}] = asked;
        const answer = fetched.apply(window, asked);
        const isCallback = String(address).includes("_dash-update-component");
        if (isCallback && !new Headers(options.headers).has("X-Dash-Brain")) {
            note(options.body);
            answer.then((response) => response.clone().text()).then(note, () => {});
        }
        return answer;
    };

    // --- words

    function size(bytes) {
        const power = Math.min(4, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
        const number = bytes / 1000 ** power;
        return `${power && number < 100 ? number.toFixed(1) : Math.round(number)} ${["bytes", "KB", "MB", "GB", "TB"][power]}`;
    }

    function time(seconds) {
        const units = [["d", 86400], ["h", 3600], ["min", 60]];
        const [unit, length] = units.find(([, one]) => seconds >= one) || ["s", 1];
        return `${Math.floor(seconds / length)} ${unit}`;
    }

    const number = (value) => value.toLocaleString("en");
    const plural = (count, one) => `${number(count)} ${one}${count === 1 ? "" : "s"}`;

    function shape({rows, columns}) {
        if (rows === undefined) {
            return "";
        }
        return columns === undefined ? plural(rows, "item") : `${number(rows)} × ${number(columns)}`;
    }

    function idText(id) {
        return typeof id === "string" ? id : JSON.stringify(id);
    }

    const GONE = {
        evicted: "evicted: memory was short",
        expired: "expired: nobody held it",
        deleted: "deleted",
        unknown: "gone",
    };

    const SHARED = {app: "all sessions", memo: "all sessions (memoized)"};

    function holders(row) {
        const {scope, tabs = 0, jobs = 0, left} = row;
        const found = [
            row.here && "this tab",
            tabs && plural(tabs, "other tab"),
            jobs && plural(jobs, "job"),
            SHARED[scope],
            scope === "session-memo" && "this session (memoized)",
            row.name !== undefined && "this session",
        ].filter(Boolean);
        return found.length ? found : [left === null ? "nobody" : `nobody, gone in ${time(left)}`];
    }

    // --- what its buttons do

    async function drop(row) {
        const response = await ask({do: "drop", ...place(row)});
        page().claim(); // what this page holds of it is cleared
        await look();
        return response.ok ? `Dropped ${row.label}, ${size(row.bytes)}.` : `${row.label} could not be dropped.`;
    }

    async function download(row) {
        const response = await ask({do: "download", ...place(row)});
        if (!response.ok) {
            return response.status === 410 ? `${row.label} is gone.` : `${row.label} cannot be written as ${row.file}.`;
        }
        const link = document.createElement("a");
        link.href = URL.createObjectURL(await response.blob());
        link.download = `${row.label.replace(/[^\w.-]+/g, "_")}.${row.file}`;
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 60000);
        return `Downloaded ${link.download}.`;
    }

    const place = ({token, name}) => (name === undefined ? {token} : {name});

    const NO_FILE = "Only tables and arrays of less than 256 MB have a file format that is safe to open. Read others in a callback.";
    const NO_DROP = "All sessions share this value, so one cannot drop it.";

    // --- what is drawn

    const h = (...parts) => window.React.createElement(...parts);

    function Icon({path}) {
        return h("svg", {viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": true}, h("path", {d: path}));
    }

    const ICONS = {
        stores: "M8 1.5c3 0 5.5.9 5.5 2.3v8.4c0 1.4-2.5 2.3-5.5 2.3s-5.5-.9-5.5-2.3V3.8C2.5 2.4 5 1.5 8 1.5zM2.5 3.8c0 1.4 2.5 2.3 5.5 2.3s5.5-.9 5.5-2.3M2.5 8c0 1.4 2.5 2.3 5.5 2.3s5.5-.9 5.5-2.3",
        download: "M8 2v8M4.5 6.8 8 10.3l3.5-3.5M2.5 13.5h11",
        drop: "M2.5 4h11M6.3 4V2.5h3.4V4M4 4l.7 9.5h6.6L12 4M6.7 6.8v4M9.3 6.8v4",
        close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
    };

    function Action({icon, label, refused, act, say}) {
        const click = async () => say(refused || (await act().catch(() => "The server does not answer.")));
        return h(
            "button",
            {type: "button", className: "action", "aria-label": label, title: refused || label, "aria-disabled": !!refused, onClick: click},
            h(Icon, {path: ICONS[icon]})
        );
    }

    function Row({row, say}) {
        const isThere = row.bytes !== undefined;
        return h(
            "tr",
            null,
            h("th", {scope: "row", title: row.label}, h("span", {className: "name"}, row.label), row.kind && row.kind !== "memory" && h("small", null, `${row.kind}Storage`)),
            isThere ? null : h("td", {className: row.gone ? "value gone" : "value none", colSpan: 5}, row.gone ? GONE[row.gone] : "empty"),
            isThere && cells(row, say)
        );
    }

    function cells(row, say) {
        const saved = row.file ? `Download ${row.label} as ${row.file}` : `Download ${row.label}`;
        return [
            h("td", {key: "value", className: "value"}, row.type || "?", h("small", null, shape(row))),
            h("td", {key: "size", className: "size"}, size(row.bytes)),
            h("td", {key: "age", className: "age"}, time(row.age), h("span", {className: "narrow"}, " old")),
            h("td", {key: "holders", className: "holders"}, holders(row).map((one) => h(Chip, {key: one, text: one}))),
            h(
                "td",
                {key: "actions", className: "actions"},
                h(Action, {icon: "download", label: saved, refused: row.file ? "" : NO_FILE, act: () => download(row), say}),
                h(Action, {icon: "drop", label: `Drop ${row.label}`, refused: SHARED[row.scope] ? NO_DROP : "", act: () => drop(row), say})
            ),
        ];
    }

    const Chip = ({text}) => h("span", {className: text.startsWith("nobody") ? "chip nobody" : "chip"}, text);

    function Table({title, rows, say}) {
        if (!rows.length) {
            return null;
        }
        const columns = ["Store", "Value", "Size", "Age", "Held by"];
        const head = columns.map((one, place) => h("th", {key: one, scope: "col"}, place ? one : title));
        const body = rows.map((row) => h(Row, {key: row.id, row, say}));
        return h("table", null, h("thead", null, h("tr", null, head, h("td", null))), h("tbody", null, body));
    }

    function Meter({label, used, most}) {
        const share = most ? Math.min(used / most, 1) : 0;
        const text = most ? `${size(used)} of ${size(most)}` : size(used);
        const state = share >= 0.9 ? "full" : share >= 0.75 ? "high" : "";
        return h(
            "div",
            {className: `meter ${state}`, role: "meter", "aria-label": label, "aria-valuenow": used, "aria-valuemin": 0, "aria-valuemax": most || used, "aria-valuetext": text},
            h("span", null, label),
            h("div", null, h("b", null, size(used)), most ? h("small", null, ` of ${size(most)}`) : null),
            most ? h("div", {className: "track"}, h("div", {style: {width: `${share * 100}%`}})) : null
        );
    }

    function Figure({label, value, note}) {
        return h("div", {className: "figure"}, h("span", null, label), h("b", null, value), h("small", null, note));
    }

    function rowsOfPage() {
        return shown.stores.map(({key, id, token, kind, last}, place) => {
            const found = last ? shown.held[place] : {};
            const state = token ? {...found, here: true} : {gone: found.gone};
            return {...state, id: key, label: idText(id), kind, token};
        });
    }

    function rowsElsewhere() {
        const values = shown.others.map((one) => ({...one, id: one.token, label: `value ${one.token.slice(14, 22)}`}));
        const names = shown.names.map((one) => ({...one, id: `name ${one.name}`, label: one.name}));
        return [...names, ...values];
    }

    function Content({say}) {
        if (!shown) {
            return h("p", {className: "empty"}, trouble || "Asking the server…");
        }
        const rows = rowsOfPage();
        const {times, bytes} = spared();
        return h(
            window.React.Fragment,
            null,
            h(
                "div",
                {className: "sums"},
                h(Meter, {label: "This session", ...shown.session}),
                h(Meter, {label: "Whole store", ...shown.store}),
                h(Figure, {label: "Kept off the wire", value: size(bytes), note: `${plural(times, "transfer")} of this page`})
            ),
            rows.length ? h(Table, {title: "This page", rows, say}) : h("p", {className: "empty"}, "This page has no ServerStore."),
            h(Table, {title: "Elsewhere in this session", rows: rowsElsewhere(), say})
        );
    }

    function Popup({close}) {
        const {useEffect, useRef, useState} = window.React;
        const host = useRef(null);
        const body = useRef(null);
        const [root, setRoot] = useState(null);
        const [said, say] = useState("");
        const [, redraw] = useState(0);
        useEffect(() => {
            // A shadow root: the styles of the app do not reach into the panel, nor its own out of it.
            setRoot(host.current.shadowRoot || host.current.attachShadow({mode: "open"}));
            draw = () => redraw((count) => count + 1);
            look();
            const timer = setInterval(() => document.visibilityState === "visible" && look(), EVERY);
            return () => {
                clearInterval(timer);
                draw = () => {};
            };
        }, []);
        useEffect(() => {
            if (body.current) {
                body.current.focus();
            }
        }, [root]);
        const onKeyDown = (event) => event.key === "Escape" && close();
        const content = h(
            "section",
            {ref: body, role: "dialog", "aria-label": "Stores of dash_brain", tabIndex: -1, onKeyDown},
            h(
                "header",
                null,
                h("h2", null, "Stores"),
                h("small", null, shown ? shown.store.name : ""),
                h("button", {type: "button", className: "action", "aria-label": "Close", onClick: close}, h(Icon, {path: ICONS.close}))
            ),
            h("div", {className: "body"}, h(Content, {say})),
            h("footer", {role: "status"}, said)
        );
        return h("div", {ref: host, id: "dash-brain-panel"}, root && window.ReactDOM.createPortal(h("div", null, h("style", null, STYLE), content), root));
    }

    function Panel() {
        const {devtool} = window.dash_component_api;
        const {popup, setPopup} = devtool.useDevtool();
        const className = devtool.useDevtoolMenuButtonClassName(POPUP);
        const button = window.React.useRef(null);
        const isOpen = popup === POPUP;
        const toggle = () => setPopup(isOpen ? "" : POPUP);
        const close = () => {
            setPopup("");
            button.current.focus();
        };
        return h(
            window.React.Fragment,
            null,
            h("style", null, MENU_STYLE),
            h("div", {className: "dash-debug-menu__divider"}),
            h("button", {ref: button, id: "dash-brain-panel-button", type: "button", className, "aria-expanded": isOpen, onClick: toggle}, h(Icon, {path: ICONS.stores}), "Stores"),
            isOpen && h(Popup, {close})
        );
    }

    const MENU_STYLE = `
#dash-brain-panel-button path { fill: none; stroke: currentColor; stroke-width: 1.4; }
#dash-brain-panel-button:focus-visible { outline: 2px solid #7f4bc4; outline-offset: 2px; border-radius: 3px; }
`;

    const STYLE = `
:host {
  --ink: #1d1a26; --soft: #5c5768; --line: #e6e3ee; --paper: #ffffff; --raised: #f7f5fb; --accent: #7f4bc4;
  --track: #e9e3f4; --high: #a15c00; --full: #c02b2b; --chip: #efe9f8; --chip-ink: #5b2ea6;
  position: absolute; right: 0; bottom: 100%; display: block; color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :host {
    --ink: #ece9f3; --soft: #a9a3b8; --line: #37323f; --paper: #1d1a23; --raised: #26222e; --accent: #b794f4;
    --track: #3a3346; --high: #f0b45a; --full: #ff8b8b; --chip: #352c47; --chip-ink: #d6c3ff;
  }
}
* { box-sizing: border-box; }
section {
  display: flex; flex-direction: column; width: min(900px, calc(100vw - 2px)); max-height: calc(100vh - 72px); overflow: hidden;
  background: var(--paper); color: var(--ink); border: 1px solid var(--line); border-radius: 10px 0 0 0;
  box-shadow: 0 -2px 4px rgb(0 0 0 / 4%), 0 -12px 40px rgb(20 10 40 / 16%);
  font: 14px/1.45 -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; text-align: left;
}
section:focus { outline: none; }
header { display: flex; align-items: baseline; gap: 12px; padding: 14px 12px 12px 20px; }
h2 { margin: 0; font-size: 16px; font-weight: 650; letter-spacing: -0.01em; }
header small { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; direction: rtl; text-align: left; }
header .action { align-self: center; }
small { color: var(--soft); font-size: 12px; }
.body { flex: 1; min-height: 0; overflow: auto; padding: 0 20px; scrollbar-width: thin; scrollbar-color: var(--line) transparent; }
.sums { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 12px; margin-bottom: 16px; }
.meter, .figure { display: grid; gap: 2px; align-content: start; padding: 12px 14px; background: var(--raised); border-radius: 8px; }
.meter > span, .figure > span { color: var(--soft); font-size: 12px; }
.meter b, .figure b { font-size: 17px; font-weight: 600; letter-spacing: -0.01em; }
.track { height: 6px; margin-top: 7px; overflow: hidden; background: var(--track); border-radius: 3px; }
.track div { height: 100%; background: var(--accent); border-radius: 3px; transition: width 0.3s; }
.high .track div { background: var(--high); }
.full .track div { background: var(--full); }
.full b { color: var(--full); }
table { width: 100%; border-collapse: collapse; margin-bottom: 20px; table-layout: fixed; }
thead th, thead td { padding: 6px 8px; color: var(--soft); font-size: 12px; font-weight: 500; text-align: left; border-bottom: 1px solid var(--line); }
thead th:first-child { color: var(--ink); font-weight: 650; font-size: 13px; padding-left: 0; }
thead th:nth-child(1) { width: 27%; } thead th:nth-child(2) { width: 23%; } thead th:nth-child(3) { width: 90px; } thead th:nth-child(4) { width: 66px; } thead td { width: 76px; }
tbody th, tbody td { padding: 9px 8px; vertical-align: top; text-align: left; border-bottom: 1px solid var(--line); }
tbody tr:last-child > * { border-bottom: 0; }
tbody th { padding-left: 0; font-weight: 550; overflow-wrap: anywhere; }
.name { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
.value small, tbody th small { display: block; font-weight: 400; }
.value { overflow-wrap: anywhere; }
.gone { color: var(--full); }
.none { color: var(--soft); }
.size, .age { white-space: nowrap; }
thead th:nth-child(3), thead th:nth-child(4), .size, .age { text-align: right; }
.chip { display: inline-block; margin: 0 4px 4px 0; padding: 1px 8px; border-radius: 9px; background: var(--chip); color: var(--chip-ink); font-size: 12px; }
.nobody { background: none; color: var(--soft); padding: 1px 0; }
.actions { text-align: right; padding: 4px 0 4px 4px; white-space: nowrap; }
.action { display: inline-grid; place-items: center; width: 30px; height: 30px; margin: 0 0 0 4px; padding: 0; border: 0; border-radius: 6px; background: none; color: var(--soft); cursor: pointer; }
.action:hover { background: var(--raised); color: var(--ink); }
.action:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
.action[aria-disabled="true"] { opacity: 0.4; cursor: not-allowed; }
path { fill: none; stroke: currentColor; stroke-width: 1.4; stroke-linecap: round; stroke-linejoin: round; }
.empty { margin: 24px 0 32px; color: var(--soft); text-align: center; }
footer { padding: 8px 20px; border-top: 1px solid var(--line); font-size: 13px; }
footer:empty { display: none; }
.narrow { display: none; }
@media (max-width: 640px) {
  section { border-radius: 0; }
  header, .body, footer { padding-left: 14px; }
  .body { padding-right: 14px; }
  .sums { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .sums > :last-child:nth-child(odd) { grid-column: 1 / -1; }
  thead tr { display: block; border-bottom: 1px solid var(--line); }
  thead th:first-child { display: block; width: auto; border: 0; }
  thead th:not(:first-child), thead td { display: none; }
  tbody tr { display: grid; grid-template-columns: minmax(0, 1fr) auto; column-gap: 10px; padding: 9px 0; border-bottom: 1px solid var(--line); }
  tbody tr:last-child { border: 0; }
  tbody th, tbody td { padding: 0; border: 0; }
  .size { grid-area: 1 / 2; } .value { grid-area: 2 / 1; } .age { grid-area: 2 / 2; color: var(--soft); }
  .holders { grid-area: 3 / 1; padding-top: 4px; } .actions { grid-area: 3 / 2; }
  .narrow { display: inline; }
}
@media (prefers-reduced-motion: reduce) { .track div { transition: none; } }
`;

    window.dash_brain = Object.assign(window.dash_brain || {}, {Panel});
})();
