// The panel «Stores» in Dash's dev tools: what this page and its session hold on the server. In debug mode only.
(function () {
    "use strict";

    const EVERY = 2000; // milliseconds between two looks while the panel is open
    const POPUP = "dash-brain-stores";

    const {ask, done, follow, latest, look, spared} = window.dash_brain.watch;
    const page = () => window.dash_brain.page;
    const style = window.dash_brain.panelStyle;

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

    function duration(milliseconds) {
        const isLong = milliseconds >= 1000;
        const number = isLong ? milliseconds / 1000 : milliseconds;
        return `${number >= 100 ? Math.round(number) : Number(number.toPrecision(2))} ${isLong ? "s" : "ms"}`;
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
        evicted: "evicted: the store was full",
        quota: "evicted: this session is at its quota",
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
        const said = response.ok && (await response.json());
        page().claim(); // what this page holds of it is cleared
        await look();
        return said === true ? `Dropped ${row.label}, ${size(row.bytes)}.` : `${row.label} was gone.`;
    }

    async function download(row) {
        const response = await ask({do: "download", ...place(row)});
        if (!response.headers.has("Content-Disposition")) {
            const {refused} = response.ok ? await response.json() : {};
            return refused === "gone" ? `${row.label} is gone.` : `${row.label} cannot be written as ${row.file}.`;
        }
        const link = document.createElement("a");
        link.href = URL.createObjectURL(await response.blob());
        link.download = `${row.label.replace(/[^\w.-]+/g, "_")}.${row.file}`;
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 60000);
        return `Downloaded ${link.download}.`;
    }

    const place = ({token, name, result}) => (result !== undefined ? {result} : name !== undefined ? {name} : {token});

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
            h("th", {scope: "row", title: row.label}, h("span", {className: "name"}, row.label), row.kind && row.kind !== "memory" && h("small", null, `${row.kind}Storage`), row.note && h("small", null, row.note)),
            isThere ? null : h("td", {className: row.gone ? "value gone" : "value none", colSpan: 5}, row.gone ? GONE[row.gone] : "empty"),
            isThere && cells(row, say)
        );
    }

    function cells(row, say) {
        const called = row.note ? `${row.label}, ${row.note}` : row.label;
        const saved = row.file ? `Download ${called} as ${row.file}` : `Download ${called}`;
        return [
            h("td", {key: "value", className: "value"}, row.type || "?", h("small", null, shape(row))),
            h("td", {key: "size", className: "size"}, size(row.bytes)),
            h("td", {key: "age", className: "age"}, time(row.age), h("span", {className: "narrow"}, " old")),
            h("td", {key: "holders", className: "holders"}, holders(row).map((one) => h(Chip, {key: one, text: one}))),
            h(
                "td",
                {key: "actions", className: "actions"},
                h(Action, {icon: "download", label: saved, refused: row.file ? "" : NO_FILE, act: () => download(row), say}),
                h(Action, {icon: "drop", label: `Drop ${called}`, refused: SHARED[row.scope] ? NO_DROP : "", act: () => drop(row), say})
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

    function Meter({label, used, most, on_disk: onDisk}) {
        const share = most ? Math.min(used / most, 1) : 0;
        const text = most ? `${size(used)} of ${size(most)}` : size(used);
        const state = share >= 0.9 ? "full" : share >= 0.75 ? "high" : "";
        return h(
            "div",
            {className: `meter ${state}`, role: "meter", "aria-label": label, "aria-valuenow": used, "aria-valuemin": 0, "aria-valuemax": most || used, "aria-valuetext": text},
            h("span", null, label),
            h("div", null, h("b", null, size(used)), most ? h("small", null, ` of ${size(most)}`) : null, onDisk ? h("small", null, `, and ${size(onDisk)} on disk`) : null),
            most ? h("div", {className: "track"}, h("div", {style: {width: `${share * 100}%`}})) : null
        );
    }

    function Figure({label, value, note}) {
        return h("div", {className: "figure"}, h("span", null, label), h("b", null, value), h("small", null, note));
    }

    function Sums() {
        const {times, bytes} = spared();
        const {get, put, hit, miss} = done;
        return h(
            "div",
            {className: "sums"},
            h(Meter, {label: "This session", ...latest.shown.session}),
            h(Meter, {label: "Whole store", ...latest.shown.store}),
            h(Figure, {label: "Kept off the wire", value: size(bytes), note: plural(times, "transfer")}),
            h(Figure, {label: "Reading", value: duration(get.milliseconds), note: plural(get.count, "value")}),
            h(Figure, {label: "Storing", value: duration(put.milliseconds), note: plural(put.count, "value")}),
            h(Figure, {label: "Memoized results", value: plural(hit.count, "hit"), note: `of ${plural(hit.count + miss.count, "call")}`})
        );
    }

    function rowsOfPage({stores, held}) {
        return stores.map(({key, id, token, kind, last}, place) => {
            const found = last && held[place] ? held[place] : {};
            const state = token ? {...found, here: true} : {gone: found.gone};
            return {...state, id: key, label: idText(id), kind, token};
        });
    }

    function valueLabel({token, result, function: name, store}) {
        const value = token ? `value ${token.slice(14, 22)}` : `${name} ${result.slice(-8)}`;
        return store ? {label: store, note: value} : {label: value};
    }

    function rowsElsewhere({others, names}) {
        const values = others.map((one) => ({...one, id: one.token || one.result, ...valueLabel(one)}));
        const named = names.map((one) => ({...one, id: `name ${one.name}`, label: one.name}));
        return [...named, ...values];
    }

    function Content({say}) {
        const {shown, trouble} = latest;
        if (!shown) {
            return h("p", {className: "empty"}, trouble || "Asking the server…");
        }
        const rows = rowsOfPage(shown);
        return h(
            window.React.Fragment,
            null,
            h(Sums),
            rows.length ? h(Table, {title: "This page", rows, say}) : h("p", {className: "empty"}, "This page has no ServerStore."),
            h(Table, {title: "Elsewhere in this session", rows: rowsElsewhere(shown), say}),
            shown.more ? h("p", {className: "more"}, `and ${plural(shown.more, "older value")}`) : null
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
            const root = host.current.shadowRoot || host.current.attachShadow({mode: "open"});
            const sheet = new CSSStyleSheet();
            sheet.replaceSync(style.panel);
            root.adoptedStyleSheets = [sheet];
            setRoot(root);
            follow(() => redraw((count) => count + 1));
            look();
            const timer = setInterval(() => document.visibilityState === "visible" && look(), EVERY);
            return () => {
                clearInterval(timer);
                follow(() => {});
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
                h("small", null, h("bdi", null, latest.shown ? latest.shown.store.name : "")),
                h("button", {type: "button", className: "action", "aria-label": "Close", onClick: close}, h(Icon, {path: ICONS.close}))
            ),
            h("div", {className: "body"}, h(Content, {say})),
            h("footer", {role: "status"}, said)
        );
        return h("div", {ref: host, id: "dash-brain-panel"}, root && window.ReactDOM.createPortal(content, root));
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
            h("style", null, style.menu),
            h("div", {className: "dash-debug-menu__divider"}),
            h("button", {ref: button, id: "dash-brain-panel-button", type: "button", className, "aria-expanded": isOpen, onClick: toggle}, h(Icon, {path: ICONS.stores}), "Stores"),
            isOpen && h(Popup, {close})
        );
    }

    window.dash_brain.Panel = Panel;
})();
