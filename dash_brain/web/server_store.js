// ServerStore in the browser: a dcc.Store that holds a token, and a page that says which tokens it holds.
(function () {
    "use strict";

    // All times are in milliseconds.
    const HEARTBEAT = 4 * 60 * 1000; // between claims of a page without changes
    const DEBOUNCE = 100; // for changes that go into one claim
    const TIMEOUT = 30 * 1000; // of a claim; and the longest backoff after a failed one
    const MOST_UNMOUNTED = 100; // number of unmounted stores that are remembered in case they are mounted again

    const page = Array.from(window.crypto.getRandomValues(new Uint8Array(16)))
        .map((byte) => byte.toString(16).padStart(2, "0"))
        .join("");
    const stores = new Map(); // key of the component's id -> what it holds
    let dropped = []; // tokens that the page held and holds no more, since its last claim
    let turn = 0;
    let pause = null;
    let isClaiming = false;
    let failures = 0;
    let user = null; // hash of the user who is logged in, null: none is known
    let sessionsBegun = 0; // answers in a row with which a session began: the browser refuses the cookie

    // What we ask goes to the route of callbacks, so that it passes wherever they pass.
    const ROUTE = "_dash-update-component";
    const CLAIM = "_dash-brain-claim";
    const DESCRIPTION = "_dash-brain-description";
    const MOST_BYTES = 60 * 1000; // browsers send 64 KB for a page that is left
    let rendererHeaders = []; // headers of the renderer's latest request

    function config() {
        return JSON.parse(document.getElementById("_dash-config").textContent);
    }

    function url({requests_pathname_prefix, end_id}) {
        // The secret of this page, which Dash sends with every callback: for sessions without a cookie.
        return requests_pathname_prefix + ROUTE + (end_id ? "?endId=" + encodeURIComponent(end_id) : "");
    }

    // The renderer's headers, the present CSRF token, and one that only scripts of this site can send. No session
    // begins with a page's last claim: its cookie would replace the next page's.
    function headers({csrf_token_name = "_csrf_token", csrf_header_name = "X-CSRFToken"}, kind) {
        const all = new Headers(rendererHeaders);
        const token = cookie(csrf_token_name);
        if (token) {
            all.set(csrf_header_name, token);
        }
        all.set("Accept", "application/json");
        all.set("Content-Type", "application/json");
        all.set("X-Dash-Brain", kind);
        return all;
    }

    function cookie(name) {
        try {
            const found = document.cookie.split("; ").find((one) => one.startsWith(name + "="));
            return found && decodeURIComponent(found.slice(name.length + 1));
        } catch (error) {
            return null; // a frame that may not look at cookies, or a cookie in another form
        }
    }

    function post(body, kind, options) {
        const own = config();
        return window.fetch(url(own), {
            method: "POST",
            body,
            headers: headers(own, kind),
            credentials: "same-origin",
            ...options,
        });
    }

    function callbackBody(id, property, value) {
        return JSON.stringify({
            output: id + ".data",
            outputs: {id, property: "data"},
            inputs: [{id, property, value}],
            changedPropIds: [`${id}.${property}`],
            state: [],
        });
    }

    function claimBody(payload) {
        return callbackBody(CLAIM, "claim", JSON.stringify(payload));
    }

    function claimed(stores, state) {
        const held = stores.map(({id, mark, token, kind}) => ({id, mark, token, kind}));
        const all = {page, turn: ++turn, state, held, dropped};
        dropped = [];
        return all;
    }

    // One claim after the other: a second one must not overtake the first.
    async function claim() {
        pause = null;
        if (isClaiming) {
            return soon();
        }
        isClaiming = true;
        const held = Array.from(stores.values(), (store) => ({...store}));
        const lost = dropped.slice();
        try {
            const said = await answer(claimBody(claimed(held, "open")), "claim");
            user = said.user || null;
            const left = Array.from(stores.values()).filter((store) => store.kind !== "memory" && store.user !== user);
            left.forEach((store) => store.leave && store.leave(user));
            const keys = new Set(left.map((store) => store.key));
            said.dead.map((place) => held[place]).filter(({key}) => !keys.has(key)).forEach(clear);
            failures = 0;
            watch(said.began);
        } catch (error) {
            dropped = lost.concat(dropped);
            failures += 1;
            console.warn("dash_brain: a claim of this page failed:", error.message);
            soon(Math.min(TIMEOUT, 1000 * 2 ** failures));
        } finally {
            isClaiming = false;
        }
    }

    async function answer(body, kind) {
        const abort = new AbortController();
        const timeout = setTimeout(() => abort.abort(), TIMEOUT);
        try {
            const response = await post(body, kind, {signal: abort.signal});
            if (!response.ok) {
                throw new Error(`status ${response.status}`);
            }
            return await response.json();
        } finally {
            clearTimeout(timeout);
        }
    }

    // A session may begin with one claim, that of a page from before a change of the key; the next claim sends it.
    function watch(began) {
        sessionsBegun = began ? sessionsBegun + 1 : 0;
        if (sessionsBegun === 1) {
            soon();
        }
        if (sessionsBegun === 2) {
            showCookieNotice();
        }
    }

    function showCookieNotice() {
        const note = document.createElement("div");
        note.setAttribute("role", "alert");
        note.className = "dash-brain-no-cookies";
        note.style.cssText =
            "padding:10px 16px;background:#7c2d12;color:#fff;" +
            "font:14px/1.5 system-ui,sans-serif;text-align:center";
        const framed = window.top !== window.self;
        note.textContent =
            "This browser refuses the cookie of this page, so the server cannot keep data for you: parts of the " +
            "page may stay empty. Allow cookies for this site and reload" +
            (framed ? ", or open the page outside of this frame." : ".");
        document.body.prepend(note);
    }

    function soon(delay = DEBOUNCE) {
        pause = pause || setTimeout(claim, delay);
    }

    function now() {
        if (stores.size) {
            soon();
        }
    }

    // A dead token is cleared, unless another one has replaced it meanwhile.
    function clear(claimed) {
        const store = stores.get(claimed.key);
        if (store && store.token === claimed.token && store.setProps) {
            store.setProps({data: null});
        }
    }

    function drop(store) {
        if (store && store.token) {
            dropped.push(store.token);
        }
    }

    function hold(store) {
        const before = stores.get(store.key);
        if (before && before.token !== store.token) {
            drop(before);
        }
        stores.set(store.key, store);
        if (!before || !before.setProps || before.token !== store.token) {
            soon();
        }
    }

    // What sessionStorage and localStorage keep comes back when the component does.
    function release(key) {
        const store = stores.get(key);
        if (!store) {
            return;
        }
        if (store.kind === "memory") {
            drop(store);
            stores.delete(key);
        } else {
            stores.delete(key);
            stores.set(key, {...store, setProps: null, leave: null}); // the latest comes last
            const unmounted = Array.from(stores.values()).filter((one) => !one.setProps);
            unmounted.slice(0, -MOST_UNMOUNTED).forEach((one) => stores.delete(one.key));
        }
        soon();
    }

    // Browsers that block cookies throw when a storage is read, and so does dcc.Store.
    function usableStorage(kind) {
        try {
            return kind === "memory" || window[`${kind}Storage`] ? kind : "memory";
        } catch (error) {
            return "memory";
        }
    }

    function ServerStore({mark, user: servedFor, storage_type = "memory", ...given}) {
        const props = {clear_data: false, modified_timestamp: -1, ...given, storage_type: usableStorage(storage_type)};
        const {useEffect, useRef, useState, createElement} = window.React;
        const key = JSON.stringify(props.id);
        // Each user of a browser has a storage key of his own.
        const [place, setPlace] = useState({user: servedFor || user, isLeft: false});
        const mounted = useRef(false);
        const early = useRef(null); // what dcc.Store found in the browser's storage while it was mounted

        function tell(data) {
            const token = data === undefined ? null : data;
            const leave = (next) => setPlace({user: next, isLeft: true});
            hold({key, id: props.id, mark, token, kind: props.storage_type, setProps: props.setProps, user: place.user, leave});
        }

        // Dash need not render us again for what dcc.Store reports by itself.
        function setProps(changed) {
            if ("data" in changed && mounted.current) {
                tell(changed.data);
            } else if ("data" in changed) {
                early.current = changed.data;
            }
            props.setProps(changed);
        }

        useEffect(() => {
            tell(mounted.current ? props.data : early.current || props.data);
            mounted.current = true;
        });
        useEffect(() => () => release(key), [key]);
        // dcc.Store is gone by now, which would write to the place that is left.
        useEffect(() => {
            if (place.isLeft && (props.data === null || props.data === undefined)) {
                setPlace({...place, isLeft: false});
            } else if (place.isLeft) {
                early.current = null;
                props.setProps({data: null});
            }
        });
        if (place.isLeft) {
            return null;
        }
        const id = place.user === null || props.storage_type === "memory" ? props.id : `${key}.${place.user}`;
        return createElement(window.dash_core_components.Store, {...props, setProps, id, key: JSON.stringify(id)});
    }

    // A response says when a token of this page was refused: others may be dead too, as when the store was
    // lost. The answer to a claim lists them, and they are cleared.
    const fetched = window.fetch;
    window.fetch = (...asked) => {
        const [address, options] = asked;
        const sent = options && options.headers; // options may be null
        if (String(address).includes("_dash-") && sent && !new Headers(sent).has("X-Dash-Brain")) {
            rendererHeaders = sent;
        }
        const answer = fetched.apply(window, asked);
        answer.then((response) => response.headers.get("X-Dash-Brain") === "refused" && now(), () => {});
        return answer;
    };

    // Answers over a websocket have no headers, so each error may be such a refusal. The server closes a socket whose
    // session has ended or was lost, and when it stops. Dash's worker tells all pages what comes.
    const isTrouble = ({type, payload}) => type === "disconnected" || (type === "callback_response" && payload.status === "error");
    const Worker = window.SharedWorker;
    if (Worker) {
        window.SharedWorker = class extends Worker {
            constructor(...asked) {
                super(...asked);
                this.port.addEventListener("message", ({data}) => isTrouble(data) && soon());
            }
        };
    }

    setInterval(now, HEARTBEAT);
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && now());
    window.addEventListener("pageshow", (event) => event.persisted && now());
    window.addEventListener("online", now);
    window.addEventListener("pagehide", (event) => {
        // A page in the back/forward cache may be shown again.
        if (stores.size || dropped.length) {
            sendLastClaim(event.persisted ? "parked" : "gone");
        }
    });

    // For a page that is left: without waiting for an answer, and with no more bytes than browsers then send. Marks
    // are not needed any more. Tokens that are left out are released, but not those in localStorage.
    function sendLastClaim(state) {
        const held = Array.from(stores.values(), (store) => ({...store, mark: ""}));
        const whole = claimed(held, state);
        const lasting = {...whole, held: whole.held.filter(({kind}) => kind === "local"), dropped: []};
        const last = [whole, lasting].map(claimBody).find((body, place) => place || body.length < MOST_BYTES);
        post(last, "last claim", {keepalive: true}).catch(() => {});
    }

    // For clientside callbacks: {type, rows, columns, bytes} of the value of a token, null when it is gone. What lies
    // under a token never changes, so the answer is kept.
    const MOST_DESCRIPTIONS = 100;
    const descriptions = new Map(); // token -> promise

    function describe(token) {
        if (!token) {
            return Promise.resolve(null);
        }
        if (!descriptions.has(token)) {
            const asked = answer(callbackBody(DESCRIPTION, "token", token), "description").then(Object.freeze);
            const forget = () => descriptions.delete(token);
            asked.then((found) => found || forget(), forget);
            descriptions.set(token, asked);
            Array.from(descriptions.keys()).slice(0, -MOST_DESCRIPTIONS).forEach((old) => descriptions.delete(old));
        }
        return descriptions.get(token);
    }

    window.dash_clientside = window.dash_clientside || {};
    window.dash_clientside.dash_brain = {describe};

    // For the panel in Dash's dev tools, which is a script of its own.
    const ours = {
        name: page,
        held: () => Array.from(stores.values(), ({key, id, token, kind}) => ({key, id, token, kind})),
        claim: () => soon(0),
        ask: (component, property, value, kind) => post(callbackBody(component, property, value), kind),
    };

    window.dash_brain = window.dash_brain || {};
    Object.assign(window.dash_brain, {ServerStore, page: ours});
})();
